/** The table of traces. */
import { useEffect, useState } from "preact/hooks";
import type { Sort, TraceLine } from "../../api/types";
import { StateChip } from "../../components/trace_title";
import { agoText, count, durationText, fullMoment } from "../../format";
import { followLink } from "../../navigation/route";
import { subjectOf } from "../../promoted";

interface Props {
  traces: TraceLine[];
  sort: Sort;
  order: "desc" | "asc";
  onSort: (sort: Sort) => void;
  selected: string[];
  onSelect: (traceId: string) => void;
  /** Returns the address of a trace, which keeps the current selection. */
  pathOf: (traceId: string) => string;
}

const NOW_PAUSE_MS = 1_000;

export function TraceTable({ traces, sort, order, onSort, selected, onSelect, pathOf }: Props) {
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
    <table class="traces" onKeyDown={(event) => onKeyDown(event, onSelect)}>
      <thead>
        <tr>
          <th scope="col" class="select">
            <span class="unseen">Select</span>
          </th>
          <th scope="col">Trace</th>
          <th scope="col">State</th>
          <th scope="col" class="services">
            Services
          </th>
          {head("spans", "Spans")}
          {head("errors", "Errors")}
          {head("duration", "Duration")}
          {head("start", "Started")}
        </tr>
      </thead>
      <tbody>
        {traces.map((trace) => (
          <TraceRow
            key={trace.trace_id}
            trace={trace}
            share={longest > 0 ? trace.duration_ms / longest : 0}
            now={now}
            selected={selected.includes(trace.trace_id)}
            onSelect={onSelect}
            path={pathOf(trace.trace_id)}
          />
        ))}
      </tbody>
    </table>
  );
}

interface TraceRowProps {
  trace: TraceLine;
  share: number;
  now: Date;
  selected: boolean;
  onSelect: (traceId: string) => void;
  path: string;
}

function TraceRow({ trace, share, now, selected, onSelect, path }: TraceRowProps) {
  const started = new Date(trace.started_at);
  const name = subjectOf(trace)?.value ?? trace.trace_id.slice(0, 12);
  return (
    <tr class={selected ? "selected-row" : ""}>
      <td class="select">
        <input
          type="checkbox"
          aria-label={`Select ${trace.root} ${name}`}
          checked={selected}
          onChange={() => onSelect(trace.trace_id)}
        />
      </td>
      <th scope="row">
        <a href={path} onClick={followLink} data-trace-id={trace.trace_id}>
          <b>{trace.root}</b> <code>{name}</code>
        </a>
      </th>
      <td class="state">
        <StateChip trace={trace} />
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

/** Arrow keys move between rows; x selects the focused row's trace. */
function onKeyDown(event: KeyboardEvent, onSelect: (traceId: string) => void): void {
  const row = (event.target as HTMLElement).closest("tbody tr");
  const link = row?.querySelector<HTMLElement>("[data-trace-id]");
  if (!row || !link || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[
    event.key
  ];
  if (event.key === "x") onSelect(link.dataset.traceId ?? "");
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
