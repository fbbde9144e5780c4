/** The amount of stored data, and the retention limits. */
import type { Stored } from "../../api/types";
import { agoText, bytesText, durationText, fullMoment } from "../../format";

export function StoredData({ stored }: { stored: Stored }) {
  const counts = [
    ["traces", stored.traces],
    ["spans", stored.spans],
    ["log lines", stored.logs],
    ["metric points", stored.metrics],
  ] as const;
  return (
    <section class="panel storage-panel" aria-labelledby="stored-title">
      <h2 id="stored-title">Stored data</h2>
      <dl class="counts">
        {counts.map(([name, number]) => (
          <div key={name}>
            <dd>{number.toLocaleString("en")}</dd>
            <dt>{name}</dt>
          </div>
        ))}
        <div>
          <dd>{bytesText(stored.file_bytes)}</dd>
          <dt>on disk</dt>
        </div>
        <div>
          <dd>{bytesText(stored.memory_bytes)}</dd>
          <dt>in memory</dt>
        </div>
      </dl>
      <p>
        {stored.oldest === null || stored.newest === null ? (
          "No telemetry has arrived yet."
        ) : (
          <>
            From <Time iso={stored.oldest} /> to <Time iso={stored.newest} />:{" "}
            {durationText(Date.parse(stored.newest) - Date.parse(stored.oldest))}.
          </>
        )}
      </p>
      <p class="sub">
        Stored in <code>{stored.path}</code>, which is kept across restarts.
      </p>
    </section>
  );
}

function Time({ iso }: { iso: string }) {
  const moment = new Date(iso);
  return (
    <time dateTime={iso} title={agoText(moment, new Date())}>
      {fullMoment(moment)}
    </time>
  );
}

export function Retention({ retention }: Pick<Stored, "retention">) {
  const { age_hours, size_mb } = retention;
  return (
    <section class="panel storage-panel" aria-labelledby="retention-title">
      <h2 id="retention-title">Retention</h2>
      <ul class="retention-limits">
        <li>
          A trace is deleted once nothing has arrived for it for <b>{ageText(age_hours)}</b>.
        </li>
        <li>
          Once the file is larger than <b>{size_mb.toLocaleString("en")} MB</b>, the oldest traces
          are deleted.
        </li>
      </ul>
      <p class="sub">To change the limits, start the Observatory with:</p>
      <pre>
        <code>
          python -m observatory --keep-hours {age_hours} --keep-mb {size_mb}
        </code>
      </pre>
    </section>
  );
}

/** Format an age: `36 hours`, `7 days`. */
function ageText(hours: number): string {
  if (hours >= 48 && hours % 24 === 0) return `${hours / 24} days`;
  return hours === 1 ? "an hour" : `${hours} hours`;
}
