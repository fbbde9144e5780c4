/** The bars of a row on the time scale: waiting, running, critical path, log lines and events. */
import type { PathSegment, Row } from "../../api/types";
import { barPosition, type Range, shareOf } from "./time_scale";
import type { Hidden, Line } from "./waterfall_items";
import { linesOf } from "./waterfall_items";

interface Props {
  row: Row;
  range: Range;
  /** The segments of the critical path that belong to this span. */
  path: readonly PathSegment[];
  /** The spans hidden in the row while it is collapsed, else null. */
  hidden: Hidden | null;
}

export function Bars({ row, range, path, hidden }: Props) {
  const begin = row.offset_ms;
  const end = begin + row.duration_ms;
  const from = row.wait?.offset_ms ?? begin;
  return (
    <span class="bars">
      {hidden && <Bar kind="hidden-spans" range={range} from={hidden.from} to={hidden.to} />}
      {row.wait && <Bar kind="wait" range={range} from={row.wait.offset_ms} to={begin} />}
      <Bar kind="ran" range={range} from={begin} to={end} />
      {path.map((segment) => (
        <Bar
          key={segment.offset_ms}
          kind="path"
          range={range}
          from={segment.offset_ms}
          to={segment.offset_ms + segment.duration_ms}
        />
      ))}
      {linesOf(row).map((line, index) => (
        <Dot key={index} line={line} range={range} />
      ))}
      {end < range.from && !hidden && <span class="beyond before">‹</span>}
      {from > range.to && <span class="beyond after">›</span>}
    </span>
  );
}

interface BarProps {
  kind: string;
  range: Range;
  from: number;
  to: number;
}

export function Bar({ kind, range, from, to }: BarProps) {
  const at = barPosition(range, from, to);
  if (at === null) return null;
  return <span class={kind} style={{ left: `min(${at[0]}%, 100% - 3px)`, width: `${at[1]}%` }} />;
}

/** A dot at the time of a log line or event. */
export function Dot({ line, range }: { line: Line; range: Range }) {
  const share = shareOf(range, line.offset_ms);
  if (share < 0 || share > 1) return null;
  return <span class={`dot ${line.tone}`} style={{ left: `${share * 100}%` }} />;
}
