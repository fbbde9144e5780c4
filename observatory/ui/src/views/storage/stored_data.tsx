/** What is held, and for how long. */
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
    <section class="panel room" aria-labelledby="held-title">
      <h2 id="held-title">What is held</h2>
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
          <dt>of memory</dt>
        </div>
      </dl>
      <p>
        {stored.oldest === null || stored.newest === null ? (
          "Nothing has arrived yet."
        ) : (
          <>
            From <Moment iso={stored.oldest} /> to <Moment iso={stored.newest} />:{" "}
            {durationText(Date.parse(stored.newest) - Date.parse(stored.oldest))}.
          </>
        )}
      </p>
      <p class="sub">
        In <code>{stored.path}</code>. It is there again after a restart.
      </p>
    </section>
  );
}

function Moment({ iso }: { iso: string }) {
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
    <section class="panel room" aria-labelledby="retention-title">
      <h2 id="retention-title">How long it is kept</h2>
      <ul class="rules-of-retention">
        <li>
          A trace of which nothing has arrived for <b>{ageText(age_hours)}</b> goes.
        </li>
        <li>
          Once the file is larger than <b>{size_mb.toLocaleString("en")} MB</b>, the oldest traces
          go.
        </li>
      </ul>
      <p class="sub">To keep it for another time, start the Observatory with other limits:</p>
      <pre>
        <code>
          python -m observatory --keep-hours {age_hours} --keep-mb {size_mb}
        </code>
      </pre>
    </section>
  );
}

/** `72 hours`, `7 days`. */
function ageText(hours: number): string {
  if (hours >= 48 && hours % 24 === 0) return `${hours / 24} days`;
  return hours === 1 ? "an hour" : `${hours} hours`;
}
