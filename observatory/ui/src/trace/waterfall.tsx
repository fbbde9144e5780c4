/** The waterfall: a row for each span, leg after leg, on one scale of time. */
import "./waterfall.css";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import type { Journey, Party, Row } from "../api";
import { durationText } from "../wording";

const TICKS = [0, 0.25, 0.5, 0.75, 1];
const INDENT_PX = 12;
// A head's dot and the gap after it: what is below a head begins right of its name.
const DOT_PX = 15;
const INDENT_MAX = 8;
const PARTIES: Party[] = ["page", "rules", "function", "vendor"];

interface Props {
  journey: Journey;
  selected: string | null;
  onSelect: (spanId: string | null) => void;
  /** Enter was pressed on the selected row. */
  onOpen: () => void;
  place: RefObject<HTMLDivElement | null>;
}

export function Waterfall({ journey, selected, onSelect, onOpen, place }: Props) {
  const { rows, duration_ms: totalMs } = journey;
  useEffect(() => {
    if (selected) document.getElementById(rowId(selected))?.scrollIntoView({ block: "nearest" });
  }, [selected]);
  const onKeyDown = (event: KeyboardEvent) => {
    const at = rows.findIndex((row) => row.span_id === selected);
    const next = nextIndex(event.key, at, rows.length);
    if (next !== null) onSelect(rows[next]?.span_id ?? null);
    else if (event.key === "Enter" && selected) onOpen();
    else if (event.key === "Escape") onSelect(null);
    else return;
    event.preventDefault();
  };
  return (
    <section class="waterfall panel" aria-labelledby="waterfall-title">
      <div class="waterfall-head">
        <h2 id="waterfall-title">Hop by hop</h2>
        <Key rows={rows} />
      </div>
      <div class="row-grid scale" aria-hidden="true">
        <span class="ticks">
          {TICKS.map((tick) => (
            <span key={tick} style={{ left: `${tick * 100}%` }}>
              {tick === 0 ? "0" : durationText(totalMs * tick)}
            </span>
          ))}
        </span>
        <span class="column-head">waited</span>
        <span class="column-head">took</span>
      </div>
      <div
        class="rows"
        role="tree"
        aria-label="Spans, by hop"
        aria-activedescendant={selected ? rowId(selected) : undefined}
        tabIndex={0}
        ref={place}
        onKeyDown={onKeyDown}
      >
        {rows.map((row) => (
          <SpanRow
            key={row.span_id}
            row={row}
            totalMs={totalMs}
            selected={row.span_id === selected}
            onSelect={onSelect}
          />
        ))}
      </div>
      <p class="hint">
        <kbd>↑</kbd> <kbd>↓</kbd> move · <kbd>Enter</kbd> details · <kbd>Esc</kbd> close
      </p>
    </section>
  );
}

function nextIndex(key: string, at: number, length: number): number | null {
  switch (key) {
    case "ArrowDown":
      return Math.min(at + 1, length - 1);
    case "ArrowUp":
      return at < 0 ? length - 1 : Math.max(at - 1, 0);
    case "Home":
      return 0;
    case "End":
      return length - 1;
    default:
      return null;
  }
}

function rowId(spanId: string): string {
  return `span-${spanId}`;
}

interface RowProps {
  row: Row;
  totalMs: number;
  selected: boolean;
  onSelect: (spanId: string) => void;
}

function SpanRow({ row, totalMs, selected, onSelect }: RowProps) {
  const heads = row.indent === 0;
  const classes = ["row", "row-grid", row.party];
  if (heads) classes.push("heads-leg");
  if (row.error) classes.push("error");
  if (row.orphan) classes.push("orphan");
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around it takes the keys
    // biome-ignore lint/a11y/useFocusableInteractive: focus stays on the tree, aria-activedescendant points here
    <div
      id={rowId(row.span_id)}
      class={classes.join(" ")}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-selected={selected}
      aria-label={spoken(row)}
      onClick={() => onSelect(row.span_id)}
    >
      <span class="name" style={{ paddingLeft: `${indentPx(row.indent)}px` }}>
        {heads && <span class="party-dot" />}
        {heads && row.service !== row.label && <i>{shortName(row)}</i>}
        <span class="label" title={row.name}>
          {row.label}
        </span>
        {row.hop && row.hop !== row.party && <span class="hop">{row.hop}</span>}
        {row.error && <span class="mark bad">error</span>}
        {row.orphan && <span class="mark warn">orphan</span>}
      </span>
      <Bars row={row} totalMs={totalMs} />
      <span class="waited">{row.wait ? durationText(row.wait.duration_ms) : ""}</span>
      <span class="took">{durationText(row.duration_ms)}</span>
    </div>
  );
}

function Bars({ row, totalMs }: { row: Row; totalMs: number }) {
  const share = (ms: number) =>
    totalMs > 0 ? Math.max(0, Math.min(100, (ms / totalMs) * 100)) : 0;
  const left = share(row.offset_ms);
  const moments = [
    ...row.logs.map((line) => ({ at: line.offset_ms, bad: line.severity_number >= 17 })),
    ...row.events.map((event) => ({ at: event.offset_ms, bad: event.name === "exception" })),
  ];
  return (
    <span class="bars">
      {row.wait && (
        <span
          class="wait"
          style={{
            left: `${share(row.wait.offset_ms)}%`,
            width: `${left - share(row.wait.offset_ms)}%`,
          }}
        />
      )}
      <span
        class="bar"
        style={{ left: `min(${left}%, 100% - 3px)`, width: `${share(row.duration_ms)}%` }}
      />
      {moments.map((moment, index) => (
        <span
          key={index}
          class={`moment ${moment.bad ? "bad" : ""}`}
          style={{ left: `${share(moment.at)}%` }}
        />
      ))}
    </span>
  );
}

/** The service; of the rules, whose decision's name is long, the word that tells them apart. */
function shortName(row: Row): string {
  return row.party === "rules" ? "rules" : row.service;
}

function indentPx(indent: number): number {
  return indent === 0 ? 0 : DOT_PX + Math.min(indent, INDENT_MAX) * INDENT_PX;
}

function spoken(row: Row): string {
  const parts = [`${row.label}, ${row.service}`];
  if (row.hop) parts.push(`by ${row.hop}`);
  if (row.wait) parts.push(`waited ${durationText(row.wait.duration_ms)}`);
  parts.push(`took ${durationText(row.duration_ms)}`);
  if (row.error) parts.push("error");
  if (row.orphan) parts.push("orphan: its parent is missing");
  return parts.join(", ");
}

function Key({ rows }: { rows: Row[] }) {
  const present = PARTIES.filter((party) => rows.some((row) => row.party === party));
  const vendor = rows.find((row) => row.party === "vendor")?.service;
  return (
    <ul class="key" aria-label="Colours">
      {present.map((party) => (
        <li key={party} class={party}>
          <span class="swatch" />
          {party === "vendor" ? vendor : party}
        </li>
      ))}
      {rows.some((row) => row.wait) && (
        <li>
          <span class="swatch wait" />
          waiting
        </li>
      )}
      {rows.some((row) => row.logs.length + row.events.length > 0) && (
        <li>
          <span class="swatch moment" />
          log or event
        </li>
      )}
    </ul>
  );
}
