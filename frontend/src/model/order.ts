/** An order as the page knows it. The functions own its states; the page only follows. */
import type { TraceCarrier } from "../throughline/carrier";

export const ORDER_STATES = [
  "placed",
  "reserved",
  "charging",
  "paid",
  "ticketed",
  "rejected",
  "declined",
  "expired",
  "refunded",
  "failed",
] as const;

export type OrderState = (typeof ORDER_STATES)[number];

export interface Order {
  id: string;
  showId: string;
  seats: number;
  state: OrderState;
  /** Why it was rejected, declined, expired or failed; empty otherwise. */
  reason: string;
  /** If it was rejected because of the buyer's unpaid orders: how many they may have, and had. */
  limit: number;
  held: number;
  /** Whether its seats were held while it was not paid for. */
  hasHold: boolean;
  /** Null until the server has set it. */
  placedAt: Date | null;
  /** When the order entered each state that it has been in, `placed` excepted. */
  movedAt: Partial<Record<OrderState, Date>>;
  /** What was charged; null until the functions have priced it. */
  amountCents: number | null;
  currency: string;
  /** The `_trace` field, unchecked. */
  carrier: unknown;
  /** Whether the server has yet to confirm what this snapshot shows. */
  hasPendingWrites: boolean;
}

/** What the page writes to place an order; the security rules allow these keys and no other. */
export interface NewOrder {
  showId: string;
  seats: number;
  cardToken: string;
  carrier: TraceCarrier;
}
