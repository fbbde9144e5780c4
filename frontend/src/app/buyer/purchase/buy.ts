/** Buying seats: the card becomes a token, the token becomes an order. One call is one trace. */

import { digitsOf } from "../../../model/card";
import type { Quote } from "../../../model/quote";
import { type Tracing, within } from "../../../tracing/tracing";
import type { Backend } from "../backend";
import { tokenise } from "./tokenise";

export interface Purchase {
  uid: string;
  showId: string;
  seats: number;
  /** As typed; sent only to the card processor. */
  cardNumber: string;
  /** What the buyer was told; null if no quote had arrived. */
  quote?: Quote | null;
}

/** A running purchase. */
export interface StartedPurchase {
  orderId: string;
  traceId: string;
  /** Resolves once the server has the order; rejects with the reason why it hasn't. */
  placed: Promise<void>;
}

/** Start to buy. `acquirerUrl` is the card processor's base URL. */
export function buy(
  { uid, showId, seats, cardNumber, quote }: Purchase,
  backend: Pick<Backend, "newOrderId" | "createOrder">,
  tracing: Tracing,
  acquirerUrl: string,
): StartedPurchase {
  const orderId = backend.newOrderId();
  const trace = tracing.begin({
    name: "buy",
    line: __SOURCE_LINE__,
    done: "Order placed",
    failed: "Order could not be placed",
    orderId,
    showId,
    follows: quote?.carrier,
    facts: {
      "boxoffice.order.seats": seats,
      ...(quote && {
        "boxoffice.quote.amount_cents": quote.amountCents,
        "boxoffice.quote.currency": quote.currency,
        "boxoffice.quote.seats_left": quote.seatsLeft,
      }),
    },
  });
  const url = `${acquirerUrl}/tokens`;
  const placed = within(trace, async () => {
    // The processor's endpoint for browsers accepts none of our headers, so no context is sent.
    const cardToken = await trace.request(
      { method: "POST", url, line: __SOURCE_LINE__ },
      ({ answered }) => tokenise(url, digitsOf(cardNumber), answered),
    );
    await trace.create({ collection: "orders", line: __SOURCE_LINE__ }, (carrier) =>
      backend.createOrder(orderId, uid, { showId, seats, cardToken, carrier }),
    );
  });
  return { orderId, traceId: trace.traceId, placed };
}
