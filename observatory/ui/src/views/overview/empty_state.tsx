/** The overview without traces: none was ever sent, or none matches the selection. */
import { fetchHealth } from "../../api/requests";
import { ExporterSetting, Notice } from "../../components/notice";
import { count } from "../../format";
import { usePolling } from "../../hooks/polling";
import { rangeText } from "../../navigation/range_text";
import { type Selection, select } from "../../navigation/selection";

const PAUSE_MS = 2_000;

export function EmptyState({ selection }: { selection: Selection }) {
  const { answer } = usePolling("health", fetchHealth, () => PAUSE_MS);
  if (answer === null) return <LoadingState />;
  if (answer.spans === 0) return <NoTraces grpcPort={answer.grpc_port} />;
  const { q, range } = selection;
  const when = rangeText(range);
  return (
    <Notice title={q === "" ? "No traces in this time range" : "No trace matches the filter"}>
      <p>
        The time range is: {when}. {count(answer.traces, "trace")}{" "}
        {answer.traces === 1 ? "is" : "are"} stored in total.
      </p>
      <p class="choices">
        {range.kind !== "all" && (
          <button type="button" onClick={() => select({ range: { kind: "all" } })}>
            Show all time
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

/** Empty panels of the final size, so that the layout does not shift when data arrives. */
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

function NoTraces({ grpcPort }: { grpcPort: number | null }) {
  return (
    <Notice title="No traces yet">
      <p>
        Use your app: its traces appear here as they arrive. If it does not send here yet, start it
        with this setting, which any OpenTelemetry SDK reads. Its exporter uses OTLP over HTTP:
      </p>
      <ExporterSetting />
      {grpcPort !== null && (
        <>
          <p>Or OTLP over gRPC:</p>
          <ExporterSetting port={grpcPort} />
        </>
      )}
    </Notice>
  );
}
