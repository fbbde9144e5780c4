import {
  collection,
  type DocumentData,
  doc,
  type QueryDocumentSnapshot,
  serverTimestamp,
  Timestamp,
  writeBatch,
} from "firebase/firestore";
import type { Fail, Report } from "../model/live";
import { type NewOrder, ORDER_STATES, type Order, type OrderState } from "../model/order";
import { date, integer, text } from "./fields";
import { firestore } from "./firebase";
import { inTurn } from "./inTurn";
import type { ListQuery } from "./listQuery";
import { watch } from "./liveQuery";

export const ORDERS_LIMIT = 50;

const orders = collection(firestore, "orders");

// The security rules want two seconds between two orders of one buyer, by the server's clock.
const placeInTurn = inTurn(2_100);

/** Return a new order id, before anything is written, so that spans can name the order. */
export function newOrderId(): string {
  return doc(orders).id;
}

/**
 * Place an order through the security rules; resolves once the server has it.
 *
 * The same commit notes it as the buyer's latest order, by which the rules limit how often a buyer
 * orders. An order that follows another too soon waits.
 *
 * @throws FirebaseError, `permission-denied` when the rules refuse it.
 */
export async function createOrder(id: string, uid: string, order: NewOrder): Promise<void> {
  // By this device's clock, which may be wrong, and before the write has waited for a connection.
  // It is only recorded in the order's trace; every decision uses `placed_at`.
  const askedAt = Timestamp.now();
  await placeInTurn(() =>
    writeBatch(firestore)
      .set(doc(orders, id), {
        uid,
        show_id: order.showId,
        seats: order.seats,
        card_token: order.cardToken,
        state: "placed",
        asked_at: askedAt,
        placed_at: serverTimestamp(),
        _trace: order.carrier,
      })
      .set(doc(firestore, "buyers", uid), {
        last_order_id: id,
        last_order_at: serverTimestamp(),
        _trace: order.carrier,
      })
      .commit(),
  );
}

/** Follow the newest orders of `uid`, newest first. */
export function watchOrders(uid: string, report: Report<Order>, fail: Fail): () => void {
  const newestFirst: ListQuery = {
    collection: "orders",
    where: [["uid", "==", uid]],
    orderBy: [["placed_at", "desc"]],
    limit: ORDERS_LIMIT,
  };
  return watch(newestFirst, readOrder, report, fail);
}

/** Read an order document; a missing field, or one of the wrong type, gets a default. */
export function readOrder(document: QueryDocumentSnapshot<DocumentData>): Order {
  const data = document.data();
  const state = ORDER_STATES.find((known) => known === data.state) ?? "placed";
  return {
    id: document.id,
    showId: text(data.show_id),
    seats: integer(data.seats, 1),
    state,
    reason: text(data.reason),
    limit: integer(data.limit),
    held: integer(data.held),
    hasHold: data.has_hold !== false,
    placedAt: date(data.placed_at),
    movedAt: readMoves(data.moved_at),
    amountCents: typeof data.amount_cents === "number" ? data.amount_cents : null,
    currency: text(data.currency, "EUR"),
    carrier: data._trace,
    hasPendingWrites: document.metadata.hasPendingWrites,
  };
}

function readMoves(value: unknown): Partial<Record<OrderState, Date>> {
  const moves: Partial<Record<OrderState, Date>> = {};
  if (typeof value !== "object" || value === null) return moves;
  for (const state of ORDER_STATES) {
    const at = date((value as Record<string, unknown>)[state]);
    if (at) moves[state] = at;
  }
  return moves;
}
