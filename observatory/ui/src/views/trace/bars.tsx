/** What a row shows on the scale of time: waiting, running, the critical path, moments. */
import type { PathSegment, Row } from "../../api/types";
import { placed, type Range, shareOf } from "./time_scale";
import type { Hidden, Line } from "./waterfall_items";
import { linesOf } from "./waterfall_items";

interface Props {
  row: Row;
  range: Range;
  /** The pieces of the critical path that are this span's. */
  path: readonly PathSegment[];
  /** What the row hides while it is collapsed. */
  hidden: Hidden | null;
}

export function Bars({ row, range, path, hidden }: Props) {
  const begin = row.offset_ms;
  const end = begin + row.duration_ms;
  const from = row.wait?.offset_ms ?? begin;
  return (
    <span class="bars">
      {hidden && <Piece kind="hidden-spans" range={range} from={hidden.from} to={hidden.to} />}
      {row.wait && <Piece kind="wait" range={range} from={row.wait.offset_ms} to={begin} />}
      <Piece kind="ran" range={range} from={begin} to={end} />
      {path.map((piece) => (
        <Piece
          key={piece.offset_ms}
          kind="path"
          range={range}
          from={piece.offset_ms}
          to={piece.offset_ms + piece.duration_ms}
        />
      ))}
      {linesOf(row).map((line, index) => (
        <Moment key={index} line={line} range={range} />
      ))}
      {end < range.from && !hidden && <span class="beyond before">‹</span>}
      {from > range.to && <span class="beyond after">›</span>}
    </span>
  );
}

interface PieceProps {
  kind: string;
  range: Range;
  from: number;
  to: number;
}

function Piece({ kind, range, from, to }: PieceProps) {
  const at = placed(range, from, to);
  if (at === null) return null;
  return <span class={kind} style={{ left: `min(${at[0]}%, 100% - 3px)`, width: `${at[1]}%` }} />;
}

/** A log line or an event: a dot at its time. */
export function Moment({ line, range }: { line: Line; range: Range }) {
  const share = shareOf(range, line.offset_ms);
  if (share < 0 || share > 1) return null;
  return <span class={`moment ${line.tone}`} style={{ left: `${share * 100}%` }} />;
}
