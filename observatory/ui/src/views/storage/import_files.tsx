/** Bringing files in: drop them, or choose them. */
import { useRef, useState } from "preact/hooks";
import { ApiFailure } from "../../api/client";
import { importFile } from "../../api/import_file";
import type { ImportResult } from "../../api/types";
import { count } from "../../format";
import { followLink, tracePath } from "../../navigation/route";

/** A file on its way in, and what became of it. */
interface Coming {
  id: number;
  name: string;
  sent: number;
  outcome: ImportResult | ApiFailure | null;
}

let lastId = 0;

export function ImportFiles() {
  const [files, setFiles] = useState<Coming[]>([]);
  const [over, setOver] = useState(false);
  const choose = useRef<HTMLInputElement>(null);
  const change = (id: number, part: Partial<Coming>) =>
    setFiles((before) => before.map((each) => (each.id === id ? { ...each, ...part } : each)));
  const take = async (list: FileList | null) => {
    const chosen = [...(list ?? [])].map((file) => ({ file, id: ++lastId }));
    const coming = chosen.map(({ file, id }) => ({ id, name: file.name, sent: 0, outcome: null }));
    setFiles((before) => [...coming, ...before]);
    // One after the other: each may be large.
    for (const { file, id } of chosen) {
      const onSent = (sent: number) => change(id, { sent });
      const outcome = await importFile(file, onSent, new AbortController().signal).catch(
        (error: unknown) => {
          if (error instanceof ApiFailure) return error;
          throw error;
        },
      );
      change(id, { outcome });
    }
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button inside does the same */}
      <div
        class={`drop ${over ? "over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void take(event.dataTransfer?.files ?? null);
        }}
      >
        <p>
          Drop OTLP/JSON or Jaeger JSON here, or{" "}
          <button type="button" onClick={() => choose.current?.click()}>
            Choose files
          </button>
        </p>
        <input
          ref={choose}
          class="unseen"
          type="file"
          accept=".json,application/json"
          multiple
          tabIndex={-1}
          aria-label="Files to import"
          onChange={(event) => {
            void take(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
      </div>
      <ul class="coming" aria-live="polite">
        {files.map((file) => (
          <li key={file.id}>
            <p class="file">{file.name}</p>
            <Outcome file={file} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Outcome({ file }: { file: Coming }) {
  const { outcome, sent } = file;
  if (outcome === null)
    return sent < 1 ? (
      <progress value={sent} aria-label={`${file.name} is sent`} />
    ) : (
      <p class="sub">
        <span class="pulse" aria-hidden="true" /> Reading it…
      </p>
    );
  if (outcome instanceof ApiFailure) return <p class="bad">{outcome.message}</p>;
  return (
    <>
      <p class={outcome.spans + outcome.logs + outcome.metrics > 0 ? "good" : "warn"}>
        {count(outcome.spans, "span")}, {count(outcome.logs, "log line")} and{" "}
        {count(outcome.metrics, "metric point")} stored.
      </p>
      {outcome.reason !== "" && (
        <p class="warn">
          {outcome.rejected > 0 && `${count(outcome.rejected, "record")} left out. `}
          {outcome.reason}
        </p>
      )}
      {outcome.trace_ids.length > 0 && (
        <ul class="trace-links">
          {outcome.trace_ids.map((traceId) => (
            <li key={traceId}>
              <a href={tracePath(traceId)} onClick={followLink}>
                <code>{traceId.slice(0, 12)}</code>
              </a>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
