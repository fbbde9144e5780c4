/** A row of the waterfall: a span, a log line or event below it, or a missing hop. */
import { Component, type ComponentChildren } from "preact";
import type { PathSegment, Row } from "../../api/types";
import { count, durationText } from "../../format";
import { Bar, Bars, Dot } from "./bars";
import { type Match, splitByMatches } from "./find";
import type { Range } from "./time_scale";
import { type Item, repeatText } from "./waterfall_items";

const INDENT_PX = 12;
const INDENT_MAX = 8;

export interface RowProps {
  item: Item;
  /** Its index in the list, from 0. */
  index: number;
  rowPx: number;
  range: Range;
  path: readonly PathSegment[];
  selected: boolean;
  /** The search match in this row, if any, and the search text. */
  match: Match | null;
  needle: string;
  unusualMark: string | null;
  linesShown: boolean;
  onSelect: (id: string) => void;
  onFold: (spanId: string) => void;
  onLines: (spanId: string) => void;
  onRepeats: (spanId: string) => void;
}

/** Return the id of an item's element. */
export function rowId(id: string): string {
  return `row-${id.replace(":", "-")}`;
}

/** A row that renders again only if its props change, so that scrolling renders only new rows. */
export class WaterfallRow extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return Object.keys(next).some((name) => {
      const key = name as keyof RowProps;
      return this.props[key] !== next[key];
    });
  }

  override render() {
    return <AnyRow {...this.props} />;
  }
}

function AnyRow(props: RowProps) {
  const { item, index, rowPx, selected, onSelect } = props;
  const classes = ["row", "row-grid", ...classesOf(item)];
  if (props.match) classes.push("found");
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it handles the keys
    // biome-ignore lint/a11y/useFocusableInteractive: focus stays on the grid, aria-activedescendant points here
    // biome-ignore lint/a11y/useSemanticElements: table rows can't be positioned individually
    <div
      id={rowId(item.id)}
      class={classes.join(" ")}
      style={{ top: `${index * rowPx}px` }}
      role="row"
      aria-rowindex={index + 1}
      aria-level={levelOf(item)}
      aria-selected={selected}
      aria-expanded={isExpanded(item)}
      aria-label={accessibleName(props)}
      onClick={() => onSelect(item.id)}
    >
      {item.kind === "span" && <SpanCells {...props} item={item} />}
      {item.kind === "line" && <LineCells {...props} item={item} />}
      {item.kind === "gap" && <GapCells item={item} />}
      {item.kind === "repeats" && <RepeatsCells {...props} item={item} />}
    </div>
  );
}

function SpanCells(props: RowProps & { item: Item & { kind: "span" } }) {
  const { item, range, path, needle, match, unusualMark, onFold } = props;
  const { row, hidden, folded } = item;
  const startsLeg = row.indent === 0;
  const ran = durationText(row.duration_ms);
  return (
    <>
      <Cell class="name" padPx={indentPx(row.indent)}>
        {hidden ? (
          <button
            type="button"
            class="fold"
            tabIndex={-1}
            aria-label={folded ? `Expand ${row.label}` : `Collapse ${row.label}`}
            onClick={(event) => {
              event.stopPropagation();
              onFold(row.span_id);
            }}
          >
            <FoldIcon folded={folded} />
          </button>
        ) : (
          <span class="no-fold" />
        )}
        {startsLeg && <span class="party-dot" />}
        {startsLeg && row.service !== row.label && (
          <i>
            <Marked text={shortName(row)} needle={match ? needle : ""} />
          </i>
        )}
        <span class="label" title={row.name}>
          <Marked text={row.label || "(no name)"} needle={match ? needle : ""} />
        </span>
        {folded && hidden && <span class="tally">+{hidden.spans}</span>}
        {row.hop && row.hop !== row.party && <span class="hop">{row.hop}</span>}
        {match && match.where !== "name" && <mark class="where">{match.label}</mark>}
        {unusualMark && <span class="mark warn">{unusualMark}</span>}
        {row.error && <span class="mark bad">{errorText(row)}</span>}
        {folded && !row.error && (hidden?.errors ?? 0) > 0 && (
          <span class="mark bad">{count(hidden?.errors ?? 0, "error")}</span>
        )}
        {row.orphan && <span class="mark warn">orphan</span>}
        <LinesButton {...props} row={row} />
      </Cell>
      <Cell class="bars-cell" label={`begins at ${durationText(row.offset_ms)}`}>
        <Bars row={row} range={range} path={path} hidden={folded ? hidden : null} />
      </Cell>
      <Cell class="waited">{row.wait ? durationText(row.wait.duration_ms) : ""}</Cell>
      <Cell class="took">{ran}</Cell>
    </>
  );
}

interface CellProps {
  class: string;
  label?: string;
  padPx?: number;
  children: ComponentChildren;
}

function Cell({ class: class_, label, padPx, children }: CellProps) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid around it has the focus
    // biome-ignore lint/a11y/useSemanticElements: table rows can't be positioned individually
    <span
      class={class_}
      role="gridcell"
      aria-label={label}
      style={padPx === undefined ? undefined : { paddingLeft: `${padPx}px` }}
    >
      {children}
    </span>
  );
}

function LinesButton({ row, linesShown, onLines }: RowProps & { row: Row }) {
  const lines = row.logs.length + row.events.length;
  if (lines === 0) return null;
  return (
    <button
      type="button"
      class="lines"
      tabIndex={-1}
      aria-pressed={linesShown}
      aria-label={`${lines === 1 ? "1 log line or event" : `${lines} log lines and events`} of ${row.label}`}
      title="Show log lines and events"
      onClick={(event) => {
        event.stopPropagation();
        onLines(row.span_id);
      }}
    >
      <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
        <path d="M1 2h8M1 5h8M1 8h5" />
      </svg>
      {lines}
    </button>
  );
}

function LineCells({ item, range, match, needle }: RowProps & { item: Item & { kind: "line" } }) {
  const { line, row } = item;
  return (
    <>
      <Cell class="log-text" padPx={indentPx(row.indent) + 31}>
        <b class={line.tone}>{line.label}</b>{" "}
        <Marked text={line.text} needle={match ? needle : ""} />
      </Cell>
      <Cell class="bars-cell">
        <span class="bars">
          <Dot line={line} range={range} />
        </span>
      </Cell>
      <Cell class="took">
        <span class="at">{durationText(line.offset_ms)}</span>
      </Cell>
    </>
  );
}

function GapCells({ item: { gap } }: { item: Item & { kind: "gap" } }) {
  return (
    <>
      <Cell class="name">
        <span class="no-fold" />
        <span class="party-dot" />
        {gap.service !== gap.name && <i>{gap.service}</i>}
        <span class="label">{gap.name}</span>
        {gap.hop && <span class="hop">{gap.hop}</span>}
      </Cell>
      <Cell class="bars-cell">
        <span class="bars">
          <span class="absent">missing; {shareText(gap.usual_share)} have it</span>
        </span>
      </Cell>
    </>
  );
}

function RepeatsCells({ item, range, onRepeats }: RowProps & { item: Item & { kind: "repeats" } }) {
  const { repeat, row, expanded } = item;
  return (
    <>
      <Cell class="name" padPx={indentPx(row.indent)}>
        <button
          type="button"
          class="fold"
          tabIndex={-1}
          aria-label={`${expanded ? "Hide" : "Show"} the repeats of ${row.label}`}
          onClick={(event) => {
            event.stopPropagation();
            onRepeats(repeat.first);
          }}
        >
          <FoldIcon folded={!expanded} />
        </button>
        <span class="label" title={repeatText(repeat)}>
          {repeat.repeats.length} more like this
        </span>
        {repeat.errors > 0 && <span class="mark bad">{count(repeat.errors, "error")}</span>}
      </Cell>
      <Cell class="bars-cell" label={`until ${durationText(repeat.to_ms)}`}>
        <span class="bars">
          <Bar kind="hidden-spans" range={range} from={repeat.from_ms} to={repeat.to_ms} />
        </span>
      </Cell>
    </>
  );
}

function FoldIcon({ folded }: { folded: boolean }) {
  return (
    <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
      <path d={folded ? "M3 1l4 4-4 4" : "M1 3l4 4 4-4"} />
    </svg>
  );
}

/** Text with the search text highlighted. */
export function Marked({ text, needle }: { text: string; needle: string }): ComponentChildren {
  return splitByMatches(text, needle).map((piece, index) =>
    index % 2 === 1 ? <mark key={index}>{piece}</mark> : piece,
  );
}

/** Describe a share of the compared traces: `98 % of such traces`, `all others`. */
export function shareText(share: number): string {
  return share >= 0.9995 ? "all others" : `${Math.floor(share * 100)} % of such traces`;
}

/** Return the short name of the exception, or `error`. */
function errorText(row: Row): string {
  const type = row.events.find((event) => event.name === "exception")?.attributes["exception.type"];
  const short = typeof type === "string" ? type.split(".").at(-1) : undefined;
  return short && short.length <= 32 ? short : "error";
}

/** Return the service's name, or `rules` for the security rules, whose service name is too long. */
function shortName(row: Row): string {
  return row.party === "rules" ? "rules" : row.service;
}

function indentPx(indent: number): number {
  return Math.min(indent, INDENT_MAX) * INDENT_PX;
}

function levelOf(item: Item): number {
  if (item.kind === "gap") return 1;
  return item.row.indent + (item.kind === "line" ? 2 : 1);
}

/** Whether what an item hides is shown; undefined if it hides nothing. */
function isExpanded(item: Item): boolean | undefined {
  if (item.kind === "repeats") return item.expanded;
  return item.kind === "span" && item.hidden ? !item.folded : undefined;
}

function classesOf(item: Item): string[] {
  if (item.kind === "gap") return ["gap", "starts-leg"];
  if (item.kind === "line") return ["of-span", item.line.tone];
  if (item.kind === "repeats") return ["repeats", item.row.party];
  const classes: string[] = [item.row.party];
  if (item.row.indent === 0) classes.push("starts-leg");
  if (item.row.error) classes.push("error");
  if (item.row.orphan) classes.push("orphan");
  return classes;
}

function accessibleName({ item, unusualMark, path, match }: RowProps): string {
  if (item.kind === "gap")
    return `Missing: ${item.gap.name}, ${item.gap.service}. ${shareText(item.gap.usual_share)} have it.`;
  if (item.kind === "line") return `${item.line.label} ${item.line.text}`;
  if (item.kind === "repeats")
    return `${item.row.label}, ${item.row.service}: ${repeatText(item.repeat)}`;
  const { row } = item;
  const parts = [`${row.label}, ${row.service}`];
  if (row.hop) parts.push(`by ${row.hop}`);
  if (row.wait) parts.push(`waited ${durationText(row.wait.duration_ms)}`);
  parts.push(`took ${durationText(row.duration_ms)}`);
  if (path.length > 0) parts.push("on the critical path");
  if (row.error) parts.push("error");
  if (unusualMark) parts.push(unusualMark);
  if (row.orphan) parts.push("orphan: its parent is not stored");
  if (match) parts.push(`found in ${match.label}`);
  return parts.join(", ");
}
