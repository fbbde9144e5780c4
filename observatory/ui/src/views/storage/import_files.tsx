/** Importing files that are dropped or chosen, with progress and results. */
import { useRef, useState } from "preact/hooks";
import { ApiFailure } from "../../api/client";
import { importFile } from "../../api/import_file";
import type { ImportResult } from "../../api/types";
import { count } from "../../format";
import { followLink, tracePath } from "../../navigation/route";

/** A file that is being imported, and its result. */
interface FileImport {
  id: number;
  name: string;
  /** The share that has been uploaded, from 0 to 1. */
  sent: number;
  outcome: ImportResult | ApiFailure | null;
}

let lastId = 0;

export function ImportFiles() {
  const [files, setFiles] = useState<FileImport[]>([]);
  const [draggedOver, setDraggedOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const change = (id: number, part: Partial<FileImport>) =>
    setFiles((before) => before.map((file) => (file.id === id ? { ...file, ...part } : file)));
  const importAll = async (list: FileList | null) => {
    const chosen = [...(list ?? [])].map((file) => ({ file, id: ++lastId }));
    const started = chosen.map(({ file, id }) => ({ id, name: file.name, sent: 0, outcome: null }));
    setFiles((before) => [...started, ...before]);
    // One at a time, because files may be large.
    for (const { file, id } of chosen) {
      const onProgress = (sent: number) => change(id, { sent });
      const outcome = await importFile(file, onProgress, new AbortController().signal).catch(
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
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button inside offers the same */}
      <div
        class={`drop ${draggedOver ? "dragged-over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setDraggedOver(true);
        }}
        onDragLeave={() => setDraggedOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setDraggedOver(false);
          void importAll(event.dataTransfer?.files ?? null);
        }}
      >
        <p>
          Drop OTLP/JSON or Jaeger JSON here, or{" "}
          <button type="button" onClick={() => input.current?.click()}>
            Choose files
          </button>
        </p>
        <input
          ref={input}
          class="unseen"
          type="file"
          accept=".json,application/json"
          multiple
          tabIndex={-1}
          aria-label="Files to import"
          onChange={(event) => {
            void importAll(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
      </div>
      <ul class="file-imports" aria-live="polite">
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

function Outcome({ file }: { file: FileImport }) {
  const { outcome, sent } = file;
  if (outcome === null)
    return sent < 1 ? (
      <progress value={sent} aria-label={`Uploading ${file.name}`} />
    ) : (
      <p class="sub">
        <span class="pulse" aria-hidden="true" /> Importing…
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
          {outcome.rejected > 0 && `${count(outcome.rejected, "record")} rejected. `}
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
