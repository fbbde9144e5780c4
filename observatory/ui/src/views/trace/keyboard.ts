/** What a key does to the waterfall. */
import type { Row } from "../../api/types";
import type { Item } from "./waterfall_items";

export type Act =
  | { do: "choose"; id: string }
  | { do: "fold" | "unfold"; spanId: string }
  | { do: "open" | "close" | "zoom-in" | "zoom-out" | "zoom-reset" | "toggle-lines" };

const PAGE = 12;

/**
 * What to do about a key; null to leave it to the browser.
 *
 * @param key as `KeyboardEvent.key` names it.
 * @param items what is listed.
 * @param at the index of the chosen item, or −1.
 */
export function actOn(key: string, items: readonly Item[], at: number): Act | null {
  const item = items[at];
  const to = (index: number): Act | null => {
    const chosen = items[Math.max(0, Math.min(index, items.length - 1))];
    return chosen ? { do: "choose", id: chosen.id } : null;
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
      if (item?.kind !== "span" || item.hidden === null) return null;
      return item.folded ? { do: "unfold", spanId: item.id } : to(at + 1);
    case "ArrowLeft":
      return item ? leftOf(item, items) : null;
    case "]":
    case "[":
      return errorFrom(items, at, key === "]" ? 1 : -1);
    case "Enter":
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

/** The next item in a direction, around the end, that is an error. */
export function errorFrom(items: readonly Item[], at: number, step: 1 | -1): Act | null {
  let index = at < 0 && step < 0 ? 0 : at;
  for (let tried = 0; tried < items.length; tried++) {
    index = (index + step + items.length) % items.length;
    const item = items[index];
    if (item?.kind === "span" && isTrouble(item.row, item.folded ? item.hidden?.errors : 0))
      return { do: "choose", id: item.id };
  }
  return null;
}

function isTrouble(row: Row, errorsHidden = 0): boolean {
  return row.error || errorsHidden > 0;
}

/** Collapses; where that is done or there is nothing to, goes to what is above, or caused it. */
function leftOf(item: Item, items: readonly Item[]): Act | null {
  if (item.kind === "gap") return null;
  if (item.kind === "line") return { do: "choose", id: item.row.span_id };
  if (item.hidden !== null && !item.folded) return { do: "fold", spanId: item.id };
  const parent = item.row.parent_span_id;
  return parent && items.some((other) => other.id === parent) ? { do: "choose", id: parent } : null;
}
