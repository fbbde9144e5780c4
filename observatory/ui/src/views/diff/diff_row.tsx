/** One step of both traces: two bars on one time scale, and how they differ. */
import type { ComponentChildren } from "preact";
import type { DiffRow, DiffSide } from "../../api/types";
import { durationText, withoutPackage } from "../../format";
import { followLink, tracePath } from "../../navigation/route";
import { barPosition, type Range } from "../trace/time_scale";
import { deltaText } from "./differences";

const INDENT_MAX = 10;

interface Props {
  row: DiffRow;
  index: number;
  rowPx: number;
  range: Range;
  left: string;
  right: string;
  selected: boolean;
  onSelect: (index: number) => void;
}

/** Return the id of a row's element. */
export function pairId(index: number): string {
  return `pair-${index}`;
}

export function PairRow({ row, index, rowPx, range, left, right, selected, onSelect }: Props) {
  const name = withoutPackage(row.name);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it handles the keys
    // biome-ignore lint/a11y/useFocusableInteractive: focus stays on the grid, aria-activedescendant points here
    // biome-ignore lint/a11y/useSemanticElements: table rows can't be positioned individually
    <div
      id={pairId(index)}
      class={`row row-grid pair ${row.verdict}`}
      style={{ top: `${index * rowPx}px` }}
      role="row"
      aria-rowindex={index + 1}
      aria-level={row.depth + 1}
      aria-selected={selected}
      aria-label={accessibleName(row, name)}
      onClick={() => onSelect(index)}
    >
      <Cell class="name" depth={Math.min(row.depth, INDENT_MAX)}>
        {row.service !== name && <i>{row.service}</i>}
        <span class="label" title={row.name}>
          {name}
        </span>
        {row.hop && <span class="hop">{row.hop}</span>}
      </Cell>
      <Cell class="bars-cell">
        <span class="bars">
          <Side side={row.left} which="left" range={range} />
          <Side side={row.right} which="right" range={range} />
        </span>
      </Cell>
      <Cell class="time">
        <Time side={row.left} traceId={left} />
      </Cell>
      <Cell class="time">
        <Time side={row.right} traceId={right} />
      </Cell>
      <Cell class="delta">{deltaText(row)}</Cell>
    </div>
  );
}

interface CellProps {
  class: string;
  depth?: number;
  children: ComponentChildren;
}

function Cell({ class: class_, depth, children }: CellProps) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid around it has the focus
    // biome-ignore lint/a11y/useSemanticElements: table rows can't be positioned individually
    <span
      class={class_}
      role="gridcell"
      style={depth === undefined ? undefined : { "--depth": String(depth) }}
    >
      {children}
    </span>
  );
}

interface SideProps {
  side: DiffSide | null;
  which: "left" | "right";
  range: Range;
}

function Side({ side, which, range }: SideProps) {
  if (side === null) return null;
  const { offset_ms: begin, wait_ms: wait, duration_ms: ran, error } = side;
  const waitBar = wait > 0 ? barPosition(range, begin - wait, begin) : null;
  const bar = barPosition(range, begin, begin + ran);
  return (
    <>
      {waitBar && (
        <span class={`wait ${which}`} style={{ left: `${waitBar[0]}%`, width: `${waitBar[1]}%` }} />
      )}
      {bar && (
        <span
          class={`ran ${which} ${error ? "failed" : ""}`}
          style={{ left: `min(${bar[0]}%, 100% - 3px)`, width: `${bar[1]}%` }}
        />
      )}
    </>
  );
}

/** The duration of the step, including its wait, as a link to its span. */
function Time({ side, traceId }: { side: DiffSide | null; traceId: string }) {
  if (side === null) return <>–</>;
  return (
    <a href={tracePath(traceId, side.span_id)} tabIndex={-1} onClick={followLink}>
      {durationText(side.wait_ms + side.duration_ms)}
    </a>
  );
}

function accessibleName(row: DiffRow, name: string): string {
  const parts = [`${name}, ${row.service}`];
  if (row.hop) parts.push(`by ${row.hop}`);
  const took = (side: DiffSide) => durationText(side.wait_ms + side.duration_ms);
  if (row.left) parts.push(`left ${took(row.left)}${row.left.error ? ", error" : ""}`);
  if (row.right) parts.push(`right ${took(row.right)}${row.right.error ? ", error" : ""}`);
  parts.push(row.verdict === "same" ? "the same" : `${row.verdict} ${deltaText(row)}`);
  return parts.join(", ");
}
