/** The visible rows of the waterfall. */
import type { RefObject } from "preact";
import type { PathSegment } from "../../api/types";
import { useVisibleRows } from "../../scrolling/window_rows";
import type { Match } from "./find";
import type { Item } from "./waterfall_items";
import { type RowProps, WaterfallRow } from "./waterfall_row";

const NO_SEGMENTS: readonly PathSegment[] = [];

type Shared = Pick<
  RowProps,
  "rowPx" | "range" | "needle" | "onSelect" | "onFold" | "onLines" | "onRepeats"
>;

interface Props extends Shared {
  list: RefObject<HTMLDivElement | null>;
  items: readonly Item[];
  /** The index of the selected item, or −1. */
  at: number;
  paths: ReadonlyMap<string, readonly PathSegment[]>;
  matches: ReadonlyMap<string, Match>;
  /** Descriptions of unusual steps, by span id. */
  unusualMarks: ReadonlyMap<string, string>;
  /** Whether the lines of all spans are shown, or only those of `opened`. */
  lines: boolean;
  opened: ReadonlySet<string>;
}

export function Rows(props: Props) {
  const { list, items, at, paths, matches, unusualMarks, lines, opened, ...shared } = props;
  const visible = useVisibleRows(list, items.length, shared.rowPx);
  const drawn: [Item, number][] = items
    .slice(visible.first, visible.end)
    .map((item, index) => [item, visible.first + index]);
  const selected = items[at];
  // aria-activedescendant must refer to an element that exists.
  if (selected && (at < visible.first || at >= visible.end)) drawn.push([selected, at]);
  return (
    <div class="row-list" ref={list} style={{ height: `${items.length * shared.rowPx}px` }}>
      {drawn.map(([item, index]) => (
        <WaterfallRow
          key={item.id}
          item={item}
          index={index}
          path={(item.kind === "span" && paths.get(item.id)) || NO_SEGMENTS}
          selected={index === at}
          match={ofSpan(item) ? (matches.get(item.row.span_id) ?? null) : null}
          unusualMark={(item.kind === "span" && unusualMarks.get(item.id)) || null}
          linesShown={ofSpan(item) && (lines || opened.has(item.row.span_id))}
          {...shared}
        />
      ))}
    </div>
  );
}

/** Whether an item is a span, or a line below it. */
function ofSpan(item: Item): item is Item & { kind: "span" | "line" } {
  return item.kind === "span" || item.kind === "line";
}
