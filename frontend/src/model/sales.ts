/** The totals of a show's orders. */
import type { Order, OrderState } from "./order";
import type { Tone } from "./orderStates";
import type { Show } from "./show";

/** The most orders of one show that the page follows; its sums leave out older ones. */
export const MOST_SALES = 1_000;

export interface Sales {
  /** Seats that were paid for and not refunded. */
  soldSeats: number;
  /** Seats held for orders that are still on their way. */
  heldSeats: number;
  takingsCents: number;
  refundedCents: number;
  currency: string;
}

const SOLD: ReadonlySet<OrderState> = new Set(["paid", "ticketed"]);
const HELD: ReadonlySet<OrderState> = new Set(["reserved", "charging"]);

export function salesOf(orders: readonly Order[], show: Show): Sales {
  const sum = (states: ReadonlySet<OrderState>, of: (order: Order) => number) =>
    orders.reduce((total, order) => total + (states.has(order.state) ? of(order) : 0), 0);
  const cents = (order: Order) => order.amountCents ?? 0;
  return {
    soldSeats: sum(SOLD, (order) => order.seats),
    heldSeats: sum(HELD, (order) => order.seats),
    takingsCents: sum(SOLD, cents),
    refundedCents: sum(new Set(["refunded"]), cents),
    currency: show.currency,
  };
}

/** What an order's state means to its seller, in a word or two. */
export const STANDING: Record<OrderState, { label: string; tone: Tone }> = {
  placed: { label: "Placed", tone: "moving" },
  reserved: { label: "Seats held", tone: "moving" },
  charging: { label: "Paying", tone: "moving" },
  paid: { label: "Paid", tone: "moving" },
  ticketed: { label: "Ticketed", tone: "good" },
  rejected: { label: "Turned down", tone: "quiet" },
  declined: { label: "Declined", tone: "bad" },
  expired: { label: "Hold ran out", tone: "quiet" },
  refunded: { label: "Refunded", tone: "quiet" },
  failed: { label: "Failed", tone: "bad" },
};

/** An order's short name: the end of its id, as on its tickets. */
export function shortName(orderId: string): string {
  return orderId.slice(-6).toUpperCase();
}
