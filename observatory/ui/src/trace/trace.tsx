/** One trace: where its time went, its waterfall by hop, and the span one looks at. */
import { useCallback, useEffect, useRef } from "preact/hooks";
import { fetchJourney, type Journey } from "../api";
import { useLive } from "../live";
import { Notice, Unreachable } from "../notice";
import { followLink, go, tracePath } from "../route";
import { Details } from "./details";
import { Summary } from "./summary";
import { Waterfall } from "./waterfall";

const ARRIVING_MS = 4_000;
const ARRIVING_PAUSE_MS = 700;
const SETTLED_PAUSE_MS = 4_000;

interface Props {
  traceId: string;
  spanId: string | null;
}

export function TraceView({ traceId, spanId }: Props) {
  const { answer, failure } = useLive(
    traceId,
    (signal) => fetchJourney(traceId, signal),
    (journey) => (journey && !isArriving(journey) ? SETTLED_PAUSE_MS : ARRIVING_PAUSE_MS),
  );
  const orderId = answer?.order_id;
  useEffect(() => {
    document.title = `${orderId ? `Order ${orderId}` : `Trace ${traceId.slice(0, 8)}`} · Observatory`;
  }, [orderId, traceId]);
  return (
    <>
      <p class="back">
        <a href="/" onClick={followLink}>
          ← All traces
        </a>
      </p>
      {failure?.kind === "unreachable" && <Unreachable stale={answer !== null} />}
      {failure?.kind === "refused" && (
        <Notice title="That is no trace" tone="bad">
          <p>{failure.message}</p>
        </Notice>
      )}
      {answer === null && failure === null && <Notice title="Fetching the trace…" tone="busy" />}
      {answer === null && failure?.kind === "not-found" && <NothingYet traceId={traceId} />}
      {answer !== null && <Loaded journey={answer} spanId={spanId} />}
    </>
  );
}

/** Whether spans of it came so lately that more are likely. */
function isArriving(journey: Journey): boolean {
  return journey.last_received_ms_ago < ARRIVING_MS;
}

function NothingYet({ traceId }: { traceId: string }) {
  return (
    <Notice title="No span of this trace has arrived" tone="busy">
      <p>
        <code class="id">{traceId}</code>
      </p>
      <p>
        Spans arrive a second or two after they end, and this page shows them as they do. If none
        come: the trace may be another Observatory's, or its data was cleared.
      </p>
    </Notice>
  );
}

function Loaded({ journey, spanId }: { journey: Journey; spanId: string | null }) {
  const details = useRef<HTMLElement>(null);
  const waterfall = useRef<HTMLDivElement>(null);
  const traceId = journey.trace_id;
  const select = useCallback(
    (chosen: string | null) => go(tracePath(traceId, chosen), "replace"),
    [traceId],
  );
  const close = useCallback(() => {
    select(null);
    waterfall.current?.focus({ preventScroll: true });
  }, [select]);
  const row = journey.rows.find((candidate) => candidate.span_id === spanId) ?? null;
  return (
    <>
      <Summary journey={journey} arriving={isArriving(journey)} />
      <div class="trace-body">
        <Waterfall
          journey={journey}
          selected={row?.span_id ?? null}
          onSelect={select}
          onOpen={() => details.current?.focus()}
          place={waterfall}
        />
        <Details journey={journey} row={row} onSelect={select} onClose={close} place={details} />
      </div>
    </>
  );
}
