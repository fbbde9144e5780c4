/**
 * The page's interface to its tracing.
 *
 * The implementation is in a chunk of its own (`index.ts`); `load.ts` loads it and handles a chunk
 * that is late or missing.
 */
import type { Order, OrderState } from "../model/order";
import { injectUnrecorded, type TraceCarrier } from "../throughline/carrier";
import type { Sending } from "../throughline/http";

export interface Tracing {
  /** The page's content is on screen: ends the page view's span. */
  pageReady(): void;
  /** The page's content could not be loaded. */
  pageFailed(error: unknown): void;
  /** Starts the trace of one action of a person, or of the page on their behalf. */
  begin(action: Action): ActionTrace;
  /** A live query was answered for the first time, or refused. */
  listened(listening: Listening): void;
  /** Documents have left the result of a live query that had been answered. */
  left(departure: Departure): void;
  /** An order's snapshot has arrived. */
  orderArrived(order: Order, line: SourceLine): void;
}

/** The source line that starts a span: always `__SOURCE_LINE__` at that place. */
export type SourceLine = string;

/** A live query. */
export interface LiveQuery {
  line: SourceLine;
  collection: string;
  /** Its text, without values. */
  text: string;
  limit?: number | undefined;
}

/** A live query and its first result. */
export interface Listening extends LiveQuery {
  /** The number of documents in the result; undefined if it was refused. */
  rows?: number | undefined;
  /** When it was sent, in milliseconds since 1970. */
  began: number;
  error?: Error | undefined;
}

/** What left the result of a live query. */
export interface Departure extends LiveQuery {
  /** The ids of the documents that left, and the number of those that stayed. */
  ids: readonly string[];
  rows: number;
}

/** An action: the root of its own trace, linked to the page view. */
export interface Action {
  /** The span's name, such as `buy`. */
  name: string;
  line: SourceLine;
  /** Logged when it has succeeded, and when it has failed. */
  done: string;
  failed: string;
  showId?: string;
  /** The action's order, whose snapshots are recorded from now on. */
  orderId?: string;
  /** The state in which that order is already on screen. */
  orderState?: OrderState;
  /** The carrier, unchecked, of what led to the action, such as a document's `_trace`: linked. */
  follows?: unknown;
  /** Further attributes of its span. */
  facts?: Readonly<Record<string, string | number | boolean>>;
}

/** The trace of one action: a span of its name, with a child for each request and each write. */
export interface ActionTrace {
  /** The trace id, 32 hex digits, which a person can quote to support. */
  readonly traceId: string;
  /** The context of the action's span, for an action that follows from this one to link. */
  readonly carrier: TraceCarrier;
  /** Runs an HTTP request inside a CLIENT span. */
  request<T>(request: ActionRequest, send: (sending: Sending) => Promise<T>): Promise<T>;
  /** Runs the creation of a document inside a PRODUCER span, and passes it the `_trace` to store. */
  create<T>(creation: Creation, write: (carrier: TraceCarrier) => Promise<T>): Promise<T>;
  /** Ends the action's span, as failed if there is an error. */
  end(error?: unknown): void;
}

export interface Creation {
  collection: string;
  line: SourceLine;
}

export interface ActionRequest {
  method: "GET" | "POST";
  /** Absolute. */
  url: string;
  /** The name of the callable function, if it calls one. */
  callable?: string;
  line: SourceLine;
}

/** Runs `work` as the whole of an action, and ends the action's span with the result. */
export async function within<T>(trace: ActionTrace, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    trace.end();
    return result;
  } catch (error) {
    trace.end(error);
    throw error;
  }
}

/**
 * Tracing that records nothing, for a page whose tracing chunk did not load.
 *
 * The rules want a `_trace`, and one trace id still joins what the functions record.
 */
export const untraced: Tracing = {
  pageReady() {},
  pageFailed() {},
  listened() {},
  left() {},
  orderArrived() {},
  begin() {
    const carrier = injectUnrecorded();
    return {
      traceId: carrier.traceparent.slice(3, 35),
      carrier,
      request: (_request, send) => send({ headers: {}, answered() {} }),
      create: (_creation, write) => write(carrier),
      end() {},
    };
  },
};
