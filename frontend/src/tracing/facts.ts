/** Facts for the page's spans, under the names that the functions use. */
import type { Attributes } from "@opentelemetry/api";
import type { Order } from "../model/order";

// Enough to recognise what left; a query that has changed loses all of its documents at once.
const REMOVED_IDS_MAX = 10;

/** What the page shows of an order. Text that is no code of ours is left out. */
export function shownOrder({ seats, amountCents, currency, reason }: Order): Attributes {
  return {
    "boxoffice.outcome": "shown",
    "boxoffice.order.seats": seats,
    ...(amountCents !== null && { "boxoffice.order.amount_cents": amountCents }),
    ...(amountCents !== null &&
      /^[A-Z]{3}$/.test(currency) && { "boxoffice.order.currency": currency }),
    ...(/^[a-z_]{1,64}$/.test(reason) && { "boxoffice.order.reason": reason }),
  };
}

/** Those of the documents' ids that fit on a span. */
export function removedIds(ids: readonly string[]): string[] {
  return ids.filter((id) => /^[A-Za-z0-9-]{1,80}$/.test(id)).slice(0, REMOVED_IDS_MAX);
}

/** The page's path; of any path but those of pages only that it is another, as it may be personal. */
export function pathOf(pathname: string): string {
  return /^\/(organiser|index\.html|organiser\.html)?$/.test(pathname) ? pathname : "/{}";
}
