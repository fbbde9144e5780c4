/** Those rows of the waterfall that can be seen. */
import type { RefObject } from "preact";
import type { PathSegment } from "../../api/types";
import { useVisible } from "../../scrolling/window_rows";
import type { Match } from "./find";
import type { Item } from "./waterfall_items";
import { type RowProps, WaterfallRow } from "./waterfall_row";

const NO_PATH: readonly PathSegment[] = [];

type Shared = Pick<RowProps, "rowPx" | "range" | "needle" | "onChoose" | "onFold" | "onLines">;

interface Props extends Shared {
  list: RefObject<HTMLDivElement | null>;
  items: readonly Item[];
  /** The index of the chosen one, or −1. */
  at: number;
  paths: ReadonlyMap<string, readonly PathSegment[]>;
  matches: ReadonlyMap<string, Match>;
  /** What is unusual about spans, by their ids. */
  unusualCount: ReadonlyMap<string, string>;
  /** Whether the lines of all spans are shown; else those of `opened`. */
  lines: boolean;
  opened: ReadonlySet<string>;
}

export function Rows(props: Props) {
  const { list, items, at, paths, matches, unusualCount, lines, opened, ...shared } = props;
  const visible = useVisible(list, items.length, shared.rowPx);
  const drawn: [Item, number][] = items
    .slice(visible.first, visible.last)
    .map((item, index) => [item, visible.first + index]);
  const chosen = items[at];
  // The row that assistive technology is told to be on has to exist.
  if (chosen && (at < visible.first || at >= visible.last)) drawn.push([chosen, at]);
  return (
    <div class="row-list" ref={list} style={{ height: `${items.length * shared.rowPx}px` }}>
      {drawn.map(([item, index]) => (
        <WaterfallRow
          key={item.id}
          item={item}
          index={index}
          path={(item.kind === "span" && paths.get(item.id)) || NO_PATH}
          chosen={index === at}
          match={item.kind === "gap" ? null : (matches.get(item.row.span_id) ?? null)}
          unusualMark={(item.kind === "span" && unusualCount.get(item.id)) || null}
          linesShown={item.kind !== "gap" && (lines || opened.has(item.row.span_id))}
          {...shared}
        />
      ))}
    </div>
  );
}
