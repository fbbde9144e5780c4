/** Buys seats: the card becomes a token, the token becomes an order. One call is one trace. */
import type { Backend } from "../backend/load";
import type { Tracing } from "../tracing/tracing";
import { digitsOf } from "./card";
import { tokenise } from "./tokenise";

export interface Purchase {
  uid: string;
  showId: string;
  seats: number;
  /** As typed; goes to the card processor and nowhere else. */
  cardNumber: string;
}

/** A purchase that is under way. */
export interface StartedPurchase {
  orderId: string;
  traceId: string;
  /** Resolves once the server has the order; rejects with the reason why it hasn't. */
  placed: Promise<void>;
}

/** Starts to buy. `acquirerUrl` is the card processor's base URL. */
export function buy(
  purchase: Purchase,
  backend: Backend,
  tracing: Tracing,
  acquirerUrl: string,
): StartedPurchase {
  const orderId = backend.newOrderId();
  const trace = tracing.beginPurchase(orderId, purchase.showId);
  const url = `${acquirerUrl}/tokens`;

  async function place(): Promise<void> {
    try {
      const cardToken = await trace.tokenise(url, (answered) =>
        tokenise(url, digitsOf(purchase.cardNumber), answered),
      );
      await trace.placeOrder((carrier) =>
        backend.createOrder(orderId, purchase.uid, {
          showId: purchase.showId,
          seats: purchase.seats,
          cardToken,
          carrier,
        }),
      );
      trace.end();
    } catch (error) {
      trace.end(error);
      throw error;
    }
  }

  return { orderId, traceId: trace.traceId, placed: place() };
}
