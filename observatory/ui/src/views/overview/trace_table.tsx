/** One line a trace. */
import { useEffect, useState } from "preact/hooks";
import type { Sort, TraceLine } from "../../api/types";
import { agoText, count, durationText, fullMoment, stateTone } from "../../format";
import { followLink } from "../../navigation/route";

interface Props {
  traces: TraceLine[];
  sort: Sort;
  order: "desc" | "asc";
  onSort: (sort: Sort) => void;
  chosen: string[];
  onChoose: (traceId: string) => void;
  /** The address of a trace, from which one finds back to this selection. */
  pathOf: (traceId: string) => string;
}

const NOW_PAUSE_MS = 1_000;

export function TraceTable({ traces, sort, order, onSort, chosen, onChoose, pathOf }: Props) {
  const now = useNow();
  const longest = Math.max(...traces.map((trace) => trace.duration_ms));
  const head = (by: Sort, title: string) => (
    <th
      scope="col"
      class={by}
      aria-sort={by === sort ? (order === "desc" ? "descending" : "ascending") : undefined}
    >
      <button type="button" class="as-link" onClick={() => onSort(by)}>
        {title}
        <svg viewBox="0 0 8 8" width="8" height="8" aria-hidden="true">
          {by === sort && <path d={order === "desc" ? "M0 2h8l-4 5z" : "M0 6h8l-4-5z"} />}
        </svg>
      </button>
    </th>
  );
  return (
    <table class="traces" onKeyDown={(event) => onKeyDown(event, onChoose)}>
      <thead>
        <tr>
          <th scope="col" class="choose">
            <span class="unseen">Choose</span>
          </th>
          <th scope="col">Trace</th>
          <th scope="col">State</th>
          <th scope="col" class="services">
            Services
          </th>
          {head("spans", "Spans")}
          {head("errors", "Errors")}
          {head("duration", "Duration")}
          {head("start", "Began")}
        </tr>
      </thead>
      <tbody>
        {traces.map((trace) => (
          <Line
            key={trace.trace_id}
            trace={trace}
            share={longest > 0 ? trace.duration_ms / longest : 0}
            now={now}
            chosen={chosen.includes(trace.trace_id)}
            onChoose={onChoose}
            path={pathOf(trace.trace_id)}
          />
        ))}
      </tbody>
    </table>
  );
}

interface LineProps {
  trace: TraceLine;
  share: number;
  now: Date;
  chosen: boolean;
  onChoose: (traceId: string) => void;
  path: string;
}

function Line({ trace, share, now, chosen, onChoose, path }: LineProps) {
  const started = new Date(trace.started_at);
  const name = trace.order_id ?? trace.trace_id.slice(0, 12);
  return (
    <tr class={chosen ? "chosen-line" : ""}>
      <td class="choose">
        <input
          type="checkbox"
          aria-label={`Choose ${trace.root} ${name}`}
          checked={chosen}
          onChange={() => onChoose(trace.trace_id)}
        />
      </td>
      <th scope="row">
        <a href={path} onClick={followLink} data-trace-id={trace.trace_id}>
          <b>{trace.root}</b> <code>{name}</code>
        </a>
      </th>
      <td class="state">
        {trace.order_state !== null && (
          <span class={`chip ${stateTone(trace.order_state)}`}>{trace.order_state}</span>
        )}
        {trace.orphans > 0 && <span class="chip warn">{count(trace.orphans, "orphan")}</span>}
      </td>
      <td class="services" title={trace.services.join(", ")}>
        {trace.services.join(" · ")}
      </td>
      <td class="spans">
        {trace.spans.toLocaleString("en")}
        <span class="unit"> {trace.spans === 1 ? "span" : "spans"}</span>
      </td>
      <td class={`errors ${trace.errors > 0 ? "bad" : "zero"}`}>
        {trace.errors.toLocaleString("en")}
        <span class="unit"> {trace.errors === 1 ? "error" : "errors"}</span>
      </td>
      <td class="duration">
        <span class="gauge" aria-hidden="true">
          <span style={{ width: `${Math.max(1, share * 100)}%` }} />
        </span>
        <span>{durationText(trace.duration_ms)}</span>
      </td>
      <td class="start">
        <time dateTime={trace.started_at} title={fullMoment(started)}>
          {agoText(started, now)}
        </time>
      </td>
    </tr>
  );
}

/** Arrows go from line to line; x chooses the line one is in. */
function onKeyDown(event: KeyboardEvent, onChoose: (traceId: string) => void): void {
  const line = (event.target as HTMLElement).closest("tbody tr");
  const link = line?.querySelector<HTMLElement>("[data-trace-id]");
  if (!line || !link || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { ArrowDown: line.nextElementSibling, ArrowUp: line.previousElementSibling }[
    event.key
  ];
  if (event.key === "x") onChoose(link.dataset.traceId ?? "");
  else if (step) step.querySelector<HTMLElement>("[data-trace-id]")?.focus();
  else return;
  event.preventDefault();
}

function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), NOW_PAUSE_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
