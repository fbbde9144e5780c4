/** No trace to show: because none was ever sent, or because of what is asked for. */
import { fetchHealth } from "../../api/requests";
import { Notice } from "../../components/notice";
import { count } from "../../format";
import { usePolling } from "../../hooks/polling";
import { rangeText } from "../../navigation/range_text";
import { type Selection, select } from "../../navigation/selection";

const PAUSE_MS = 2_000;

export function EmptyState({ selection }: { selection: Selection }) {
  const { answer } = usePolling("health", fetchHealth, () => PAUSE_MS);
  if (answer === null) return <LoadingState />;
  if (answer.spans === 0) return <NoTraces />;
  const { q, range } = selection;
  const when = rangeText(range);
  return (
    <Notice title={q === "" ? "No trace began in this time" : "No trace fits the filter"}>
      <p>
        {q === "" ? `The time is: ${when}.` : `None that began in this time does: ${when}.`}{" "}
        {count(answer.traces, "trace")} {answer.traces === 1 ? "is" : "are"} stored in all.
      </p>
      <p class="choices">
        {range.kind !== "all" && (
          <button type="button" onClick={() => select({ range: { kind: "all" } })}>
            Look at all time
          </button>
        )}
        {q !== "" && (
          <button type="button" onClick={() => select({ q: "" })}>
            Clear the filter
          </button>
        )}
      </p>
    </Notice>
  );
}

/** The places of what is on its way, so that nothing moves when it comes. */
export function LoadingState() {
  return (
    <>
      <div class="two">
        <p class="panel overview-waiting" role="status">
          <span class="pulse" aria-hidden="true" /> Loading…
        </p>
        <p class="panel overview-waiting" />
      </div>
      <p class="panel overview-waiting" />
    </>
  );
}

function NoTraces() {
  return (
    <Notice title="No traces yet">
      <p>
        Buy a ticket on the Box Office page, or let a browser buy one. The trace appears here as it
        happens.
      </p>
      <pre>
        <code>./scripts/dev --buy</code>
      </pre>
      <p>Anything else that speaks OpenTelemetry can send here too:</p>
      <pre>
        <code>OTEL_EXPORTER_OTLP_ENDPOINT={location.origin}</code>
      </pre>
    </Notice>
  );
}
