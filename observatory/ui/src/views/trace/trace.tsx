/** The trace view: summary, waterfall by hop, and details of the selected span. */
import { useCallback, useMemo, useRef } from "preact/hooks";
import { fetchTrace, fetchUnusual } from "../../api/requests";
import type { Row, Trace, Unusual } from "../../api/types";
import { ErrorState } from "../../components/error_state";
import { Notice } from "../../components/notice";
import { useTitle } from "../../hooks/document_title";
import { usePolling } from "../../hooks/polling";
import { followLink } from "../../navigation/route";
import { sameSelection } from "../../navigation/selection";
import { subjectOf } from "../../promoted";
import { Actions } from "./actions";
import { Details, GapDetails, GUIDE, Guide } from "./details";
import { Warnings } from "./findings";
import { Summary } from "./summary";
import { within } from "./time_scale";
import { useViewState, type ViewState } from "./view_state";
import { Waterfall } from "./waterfall";
import { gapsOf, spanIdOf } from "./waterfall_items";

const ARRIVING_MS = 4_000;
const ARRIVING_PAUSE_MS = 700;
const UNUSUAL_PAUSE_MS = 30_000;
const SETTLED_PAUSE_MS = { min: 4_000, max: 30_000 };

interface Props {
  traceId: string;
  query: URLSearchParams;
}

export function TraceView({ traceId, query }: Props) {
  const [viewState, onViewState] = useViewState(traceId, query);
  const { correctSkew } = viewState;
  const live = usePolling(
    `${traceId}${correctSkew ? " corrected" : ""}`,
    (signal) => fetchTrace(traceId, correctSkew, signal),
    pauseMs,
    true,
  );
  const { answer } = live;
  const trace = useMemo(() => answer && withoutAwaited(answer), [answer]);
  const subject = answer && subjectOf(answer);
  useTitle(subject ? `${subject.label} ${subject.value}` : `Trace ${traceId.slice(0, 8)}`);
  return (
    <>
      <div class="trace-top">
        <a class="back" href={sameSelection("/", query)} onClick={followLink}>
          ← All traces
        </a>
        {answer !== null && <Actions trace={answer} />}
      </div>
      {answer === null && <h1 class="unseen">Trace {traceId.slice(0, 8)}</h1>}
      <ErrorState
        request={live}
        loading="Loading the trace…"
        refused="Not a valid trace id"
        notFound={<NotStored traceId={traceId} />}
      />
      {trace !== null && <Loaded trace={trace} viewState={viewState} onViewState={onViewState} />}
    </>
  );
}

/** Return the trace without marks of orphans while their parents may still arrive. */
function withoutAwaited(trace: Trace): Trace {
  if (trace.awaiting === 0) return trace;
  return { ...trace, rows: trace.rows.map((row) => ({ ...row, orphan: false, covered: true })) };
}

/** Whether spans arrived so recently that more are likely. */
function isArriving(trace: Trace): boolean {
  return trace.last_received_ms_ago < ARRIVING_MS;
}

/** Return the pause before the next request, which grows with the time since the last span arrived. */
function pauseMs(trace: Trace | null): number {
  if (trace === null || isArriving(trace)) return ARRIVING_PAUSE_MS;
  const { min, max } = SETTLED_PAUSE_MS;
  return Math.max(min, Math.min(max, trace.last_received_ms_ago / 4));
}

function NotStored({ traceId }: { traceId: string }) {
  return (
    <Notice title="No span of this trace has arrived" tone="busy">
      <p>
        <code class="id">{traceId}</code>
      </p>
      <p>
        Exporters send spans a second or two after they end. This page shows the trace as soon as
        one arrives. If none arrives, the trace may be stored in another Observatory, or deleted.
      </p>
    </Notice>
  );
}

interface LoadedProps {
  trace: Trace;
  viewState: ViewState;
  onViewState: (change: Partial<ViewState>) => void;
}

function Loaded({ trace, viewState, onViewState }: LoadedProps) {
  const details = useRef<HTMLElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const select = useCallback((id: string) => onViewState({ span: id }), [onViewState]);
  const close = useCallback(() => {
    onViewState({ span: null });
    grid.current?.focus({ preventScroll: true });
  }, [onViewState]);
  const showGuide = () => {
    onViewState({ span: null });
    requestAnimationFrame(() =>
      document.getElementById(GUIDE)?.scrollIntoView({ block: "nearest" }),
    );
  };
  const zoomTo = useCallback(
    (row: Row) => onViewState({ range: within(rangeAround(row), trace.duration_ms) }),
    [onViewState, trace.duration_ms],
  );
  const unusual = useUnusual(trace);
  const gaps = useMemo(() => gapsOf(unusual), [unusual]);
  const spanId = viewState.span === null ? null : spanIdOf(viewState.span);
  const row = trace.rows.find((candidate) => candidate.span_id === spanId);
  const gap = gaps.find((_, index) => viewState.span === `gap:${index}`);
  return (
    <>
      <Summary
        trace={trace}
        unusual={unusual}
        arriving={isArriving(trace)}
        onShowUnusual={showGuide}
      />
      <Warnings
        trace={trace}
        correctSkew={viewState.correctSkew}
        onCorrectSkew={(correctSkew) => onViewState({ correctSkew })}
        onSelect={select}
      />
      <div class="trace-body">
        <Waterfall
          trace={trace}
          unusual={unusual}
          gaps={gaps}
          viewState={viewState}
          onViewState={onViewState}
          onOpen={() => details.current?.focus()}
          grid={grid}
        />
        {row ? (
          <Details
            trace={trace}
            unusual={unusual}
            row={row}
            find={viewState.find}
            onSelect={select}
            onZoom={zoomTo}
            onClose={close}
            container={details}
          />
        ) : gap ? (
          <GapDetails
            gap={gap}
            comparedWith={unusual?.compared_with ?? 0}
            onClose={close}
            container={details}
          />
        ) : (
          <Guide trace={trace} unusual={unusual} gaps={gaps} onSelect={select} />
        )}
      </div>
    </>
  );
}

/** Return the unusual steps of the trace; null until they are known, and while spans arrive. */
function useUnusual(trace: Trace): Unusual | null {
  const settled = !isArriving(trace);
  const { answer } = usePolling(
    `${trace.trace_id} ${settled ? trace.spans : "arriving"}`,
    (signal) => (settled ? fetchUnusual(trace.trace_id, signal) : Promise.resolve(null)),
    () => UNUSUAL_PAUSE_MS,
    true,
  );
  return settled ? answer : null;
}

/** Return the time range of a span and its wait, with a margin. */
function rangeAround(row: Row) {
  const from = row.wait?.offset_ms ?? row.offset_ms;
  const to = row.offset_ms + row.duration_ms;
  const margin = Math.max(0.5, (to - from) * 0.1);
  return { from: Math.max(0, from - margin), to: to + margin };
}
