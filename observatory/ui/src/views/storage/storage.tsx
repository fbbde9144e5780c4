/** The Storage view: what is stored, retention, export, import and deletion. */
import "./storage.css";
import { exportPath, fetchStored } from "../../api/requests";
import type { Stored } from "../../api/types";
import { ErrorState } from "../../components/error_state";
import { useTitle } from "../../hooks/document_title";
import { usePolling } from "../../hooks/polling";
import { followLink } from "../../navigation/route";
import { selectionOf, selectionParameters } from "../../navigation/selection";
import { Clear } from "./clear";
import { ImportFiles } from "./import_files";
import { Retention, StoredData } from "./stored_data";

const PAUSE_MS = 4_000;

export function StorageView({ query }: { query: URLSearchParams }) {
  const live = usePolling("storage", fetchStored, () => PAUSE_MS);
  useTitle("Storage");
  const { answer } = live;
  return (
    <>
      <div class="storage-head">
        <h1>Storage</h1>
      </div>
      <ErrorState request={live} loading="Loading…" />
      {answer !== null && (
        <div class="storage-panels">
          <StoredData stored={answer} />
          <Retention retention={answer.retention} />
          <ExportAndImport stored={answer} query={query} />
          <Clear stored={answer} />
        </div>
      )}
    </>
  );
}

function ExportAndImport({ stored, query }: { stored: Stored; query: URLSearchParams }) {
  const { q, range } = selectionOf(query);
  const selected = q !== "" || ["last", "from", "to"].some((name) => query.has(name));
  return (
    <section class="panel storage-panel" aria-labelledby="transfer-title">
      <h2 id="transfer-title">Export and import</h2>
      <p>Exports are OTLP/JSON. Jaeger 1.55 and later can open them; it ignores the log lines.</p>
      {stored.spans + stored.logs === 0 ? (
        <p class="sub">There is no telemetry to export yet.</p>
      ) : (
        <p class="exports">
          <a class="as-button" href={exportPath(new URLSearchParams())} download>
            Export everything
          </a>
          {selected && (
            <a class="as-button" href={exportPath(selectionParameters({ q, range }))} download>
              Export the selection
            </a>
          )}
        </p>
      )}
      {selected && (
        <p class="sub">
          The selection is the same as{" "}
          <a href={`/?${query}`} onClick={followLink}>
            in the overview
          </a>
          {q !== "" && (
            <>
              : <code>{q}</code>
            </>
          )}
          .
        </p>
      )}
      <ImportFiles />
    </section>
  );
}
