/** One trace: where its time went, its waterfall by hop, and the span one looks at. */
import { useCallback, useMemo, useRef } from "preact/hooks";
import { fetchTrace, fetchUnusual } from "../../api/requests";
import type { Row, Trace, Unusual } from "../../api/types";
import { Unanswered } from "../../components/error_state";
import { Notice } from "../../components/notice";
import { useTitle } from "../../hooks/document_title";
import { useLive } from "../../hooks/polling";
import { followLink } from "../../navigation/route";
import { sameSelection } from "../../navigation/selection";
import { Actions } from "./actions";
import { Details, GapDetails, GUIDE, Guide } from "./details";
import { Notices } from "./findings";
import { Summary } from "./summary";
import { within } from "./time_scale";
import { type Place, usePlace } from "./view_state";
import { Waterfall } from "./waterfall";
import { gapsOf, spanIdOf } from "./waterfall_items";

const ARRIVING_MS = 4_000;
const ARRIVING_PAUSE_MS = 700;
const UNUSUAL_PAUSE_MS = 30_000;
const SETTLED_PAUSE_MS = { least: 4_000, most: 30_000 };

interface Props {
  traceId: string;
  query: URLSearchParams;
}

export function TraceView({ traceId, query }: Props) {
  const [place, onPlace] = usePlace(traceId, query);
  const { correctSkew } = place;
  const live = useLive(
    `${traceId}${correctSkew ? " corrected" : ""}`,
    (signal) => fetchTrace(traceId, correctSkew, signal),
    pauseMs,
    true,
  );
  const { answer } = live;
  const orderId = answer?.order_id;
  useTitle(orderId ? `Order ${orderId}` : `Trace ${traceId.slice(0, 8)}`);
  return (
    <>
      <div class="trace-top">
        <a class="back" href={sameSelection("/", query)} onClick={followLink}>
          ← All traces
        </a>
        {answer !== null && <Actions journey={answer} />}
      </div>
      {answer === null && <h1 class="unseen">Trace {traceId.slice(0, 8)}</h1>}
      <Unanswered
        live={live}
        asking="Fetching the trace…"
        refused="That is no trace"
        notFound={<NothingYet traceId={traceId} />}
      />
      {answer !== null && <Loaded journey={answer} place={place} onPlace={onPlace} />}
    </>
  );
}

/** Whether spans of it came so lately that more are likely. */
function isArriving(journey: Trace): boolean {
  return journey.last_received_ms_ago < ARRIVING_MS;
}

/** The longer nothing came, the less often it is asked for: it may be large. */
function pauseMs(journey: Trace | null): number {
  if (journey === null || isArriving(journey)) return ARRIVING_PAUSE_MS;
  const { least, most } = SETTLED_PAUSE_MS;
  return Math.max(least, Math.min(most, journey.last_received_ms_ago / 4));
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

interface LoadedProps {
  journey: Trace;
  place: Place;
  onPlace: (change: Partial<Place>) => void;
}

function Loaded({ journey, place, onPlace }: LoadedProps) {
  const details = useRef<HTMLElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const choose = useCallback((id: string) => onPlace({ span: id }), [onPlace]);
  const close = useCallback(() => {
    onPlace({ span: null });
    grid.current?.focus({ preventScroll: true });
  }, [onPlace]);
  const showGuide = () => {
    onPlace({ span: null });
    requestAnimationFrame(() =>
      document.getElementById(GUIDE)?.scrollIntoView({ block: "nearest" }),
    );
  };
  const zoomTo = useCallback(
    (row: Row) => onPlace({ range: within(aroundOf(row), journey.duration_ms) }),
    [onPlace, journey.duration_ms],
  );
  const unusual = useUnusual(journey);
  const gaps = useMemo(() => gapsOf(unusual), [unusual]);
  const spanId = place.span === null ? null : spanIdOf(place.span);
  const row = journey.rows.find((candidate) => candidate.span_id === spanId);
  const gap = gaps.find((_, index) => place.span === `gap:${index}`);
  return (
    <>
      <Summary
        journey={journey}
        unusual={unusual}
        arriving={isArriving(journey)}
        onShape={showGuide}
      />
      <Notices
        journey={journey}
        correctSkew={place.correctSkew}
        onCorrectSkew={(correctSkew) => onPlace({ correctSkew })}
      />
      <div class="trace-body">
        <Waterfall
          journey={journey}
          unusual={unusual}
          gaps={gaps}
          place={place}
          onPlace={onPlace}
          onOpen={() => details.current?.focus()}
          grid={grid}
        />
        {row ? (
          <Details
            journey={journey}
            unusual={unusual}
            row={row}
            find={place.find}
            onSelect={choose}
            onZoom={zoomTo}
            onClose={close}
            place={details}
          />
        ) : gap ? (
          <GapDetails
            gap={gap}
            comparedWith={unusual?.compared_with ?? 0}
            onClose={close}
            place={details}
          />
        ) : (
          <Guide journey={journey} unusual={unusual} gaps={gaps} onSelect={choose} />
        )}
      </div>
    </>
  );
}

/** What is unusual about the trace; null while it isn't known, and while more of it may come. */
function useUnusual(journey: Trace): Unusual | null {
  const settled = !isArriving(journey);
  const { answer } = useLive(
    `${journey.trace_id} ${settled ? journey.spans : "arriving"}`,
    (signal) => (settled ? fetchUnusual(journey.trace_id, signal) : Promise.resolve(null)),
    () => UNUSUAL_PAUSE_MS,
    true,
  );
  return settled ? answer : null;
}

/** A span with its wait, and a little air around. */
function aroundOf(row: Row) {
  const from = row.wait?.offset_ms ?? row.offset_ms;
  const to = row.offset_ms + row.duration_ms;
  const air = Math.max(0.5, (to - from) * 0.1);
  return { from: Math.max(0, from - air), to: to + air };
}
