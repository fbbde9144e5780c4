/**
 * What the page says to its tracing, in the page's own words.
 *
 * What does the work is in a chunk of its own (`index.ts`); `load.ts` decides what happens
 * while that is on its way or if it never comes.
 */
import type { Order } from "../orders/order";
import { injectUnrecorded, type TraceCarrier } from "../throughline/carrier";

export interface Tracing {
  /** The shows are on screen: ends the page view's span. */
  pageReady(): void;
  /** The page could not show what it is for. */
  pageFailed(error: unknown): void;
  /** Begins the trace of one purchase. */
  beginPurchase(orderId: string, showId: string): PurchaseTrace;
  /** An order's snapshot has arrived. */
  orderArrived(order: Order): void;
}

/** The trace of one purchase: a `buy` span and its two children. */
export interface PurchaseTrace {
  /** What the buyer can quote to support: 32 hex digits. */
  readonly traceId: string;
  /** Runs a POST to the card processor inside a CLIENT span; `answered` notes the status. */
  tokenise<T>(url: string, post: (answered: (status: number) => void) => Promise<T>): Promise<T>;
  /** Runs the order's write inside a PRODUCER span, and hands it the `_trace` to store. */
  placeOrder<T>(write: (carrier: TraceCarrier) => Promise<T>): Promise<T>;
  /** Ends the purchase's span; with an error, as failed. */
  end(error?: unknown): void;
}

/** Tracing that records nothing, for a page whose tracing chunk did not load. */
export const untraced: Tracing = {
  pageReady() {},
  pageFailed() {},
  orderArrived() {},
  beginPurchase() {
    // The rules want a `_trace`, and one trace id still joins what the functions record.
    const carrier = injectUnrecorded();
    return {
      traceId: carrier.traceparent.slice(3, 35),
      tokenise: (_url, post) => post(() => {}),
      placeOrder: (write) => write(carrier),
      end() {},
    };
  },
};
