/** Keyboard commands of the waterfall. */
import type { Row } from "../../api/types";
import type { Item } from "./waterfall_items";

export type Command =
  | { do: "select"; id: string }
  | { do: "fold" | "unfold" | "expand-repeats" | "collapse-repeats"; spanId: string }
  | { do: "open" | "close" | "zoom-in" | "zoom-out" | "zoom-reset" | "toggle-lines" };

const PAGE = 12;

/**
 * Return the command of a key; null if the waterfall does not handle it.
 *
 * @param key as in `KeyboardEvent.key`.
 * @param items the listed items.
 * @param at the index of the selected item, or −1.
 */
export function commandFor(key: string, items: readonly Item[], at: number): Command | null {
  const item = items[at];
  const to = (index: number): Command | null => {
    const chosen = items[Math.max(0, Math.min(index, items.length - 1))];
    return chosen ? { do: "select", id: chosen.id } : null;
  };
  switch (key) {
    case "ArrowDown":
      return to(at + 1);
    case "ArrowUp":
      return to(at < 0 ? items.length - 1 : at - 1);
    case "PageDown":
      return to(Math.max(at, 0) + PAGE);
    case "PageUp":
      return to(at - PAGE);
    case "Home":
      return to(0);
    case "End":
      return to(items.length - 1);
    case "ArrowRight":
      if (item?.kind === "repeats") return item.expanded ? to(at + 1) : toggleRepeats(item);
      if (item?.kind !== "span" || item.hidden === null) return null;
      return item.folded ? { do: "unfold", spanId: item.id } : to(at + 1);
    case "ArrowLeft":
      return item ? collapseOrParent(item, items) : null;
    case "]":
    case "[":
      return errorFrom(items, at, key === "]" ? 1 : -1);
    case "Enter":
      if (item?.kind === "repeats") return toggleRepeats(item);
      return item ? { do: "open" } : null;
    case "Escape":
      return { do: "close" };
    case "l":
      return { do: "toggle-lines" };
    case "+":
    case "=":
      return { do: "zoom-in" };
    case "-":
      return { do: "zoom-out" };
    case "0":
      return { do: "zoom-reset" };
    default:
      return null;
  }
}

function toggleRepeats(item: Item & { kind: "repeats" }): Command {
  return { do: item.expanded ? "collapse-repeats" : "expand-repeats", spanId: item.repeat.first };
}

/** Select the next error in a direction, wrapping around at the ends. */
export function errorFrom(items: readonly Item[], at: number, step: 1 | -1): Command | null {
  let index = at < 0 && step < 0 ? 0 : at;
  for (let tried = 0; tried < items.length; tried++) {
    index = (index + step + items.length) % items.length;
    const item = items[index];
    if (item?.kind === "span" && hasError(item.row, item.folded ? item.hidden?.errors : 0))
      return { do: "select", id: item.id };
  }
  return null;
}

function hasError(row: Row, errorsHidden = 0): boolean {
  return row.error || errorsHidden > 0;
}

/** Collapse the item; if it is collapsed or can't be, select its parent (of a line, its span). */
function collapseOrParent(item: Item, items: readonly Item[]): Command | null {
  if (item.kind === "gap") return null;
  if (item.kind === "repeats")
    return item.expanded ? toggleRepeats(item) : { do: "select", id: item.row.span_id };
  if (item.kind === "line") return { do: "select", id: item.row.span_id };
  if (item.hidden !== null && !item.folded) return { do: "fold", spanId: item.id };
  const parent = item.row.parent_span_id;
  return parent && items.some((other) => other.id === parent) ? { do: "select", id: parent } : null;
}
