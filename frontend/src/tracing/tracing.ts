/**
 * What the page says to its tracing, in the page's own words.
 *
 * What does the work is in a chunk of its own (`index.ts`); `load.ts` decides what happens
 * while that is on its way or if it never comes.
 */
import type { Order, OrderState } from "../model/order";
import { injectUnrecorded, type TraceCarrier } from "../throughline/carrier";
import type { Sending } from "../throughline/http";

export interface Tracing {
  /** What the page is for is on screen: ends the page view's span. */
  pageReady(): void;
  /** The page could not show what it is for. */
  pageFailed(error: unknown): void;
  /** Begins the trace of one thing that a person does, or that the page does for them. */
  begin(action: Action): ActionTrace;
  /** A live query was answered for the first time, or refused. */
  listened(listening: Listening): void;
  /** An order's snapshot has arrived. */
  orderArrived(order: Order, line: SourceLine): void;
}

/** Where a span is begun: always `__SOURCE_LINE__`, written there. */
export type SourceLine = string;

/** A live query and what came of it. */
export interface Listening {
  line: SourceLine;
  collection: string;
  /** What it asks for, without values. */
  text: string;
  /** When it was asked, in milliseconds since 1970. */
  began: number;
  error?: Error | undefined;
}

/** What is being done: the root of a trace of its own, linked to the page view. */
export interface Action {
  /** The span's name, such as `buy`. */
  name: string;
  line: SourceLine;
  /** Logged when it has succeeded, and when it has failed. */
  done: string;
  failed: string;
  showId?: string;
  /** The order that it is about; the order's next snapshots are recorded from here on. */
  orderId?: string;
  /** The state in which that order is on screen already. */
  orderState?: OrderState;
  /** The `_trace` of a document, unchecked, whose own trace is to be linked. */
  follows?: unknown;
  /** What else its span says, by the attribute's name. */
  facts?: Readonly<Record<string, string | number>>;
}

/** The trace of one action: a span of its name, with a child for each request and each write. */
export interface ActionTrace {
  /** What a person can quote to support: 32 hex digits. */
  readonly traceId: string;
  /** Runs an HTTP request inside a CLIENT span. */
  request<T>(request: ActionRequest, send: (sending: Sending) => Promise<T>): Promise<T>;
  /** Runs the creation of a document inside a PRODUCER span, and hands it the `_trace` to store. */
  create<T>(creation: Creation, write: (carrier: TraceCarrier) => Promise<T>): Promise<T>;
  /** Ends the action's span; with an error, as failed. */
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
  /** The callable function that it calls, if it does. */
  callable?: string;
  line: SourceLine;
}

/** Runs `work` as the whole of an action, and ends the action's span with what came of it. */
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
  orderArrived() {},
  begin() {
    const carrier = injectUnrecorded();
    return {
      traceId: carrier.traceparent.slice(3, 35),
      request: (_request, send) => send({ headers: {}, answered() {} }),
      create: (_creation, write) => write(carrier),
      end() {},
    };
  },
};
