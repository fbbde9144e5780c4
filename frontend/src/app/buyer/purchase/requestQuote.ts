/** Asks the box office what seats would cost, and whether they are left. One call is one trace. */

import { type Tracing, within } from "../../../tracing/tracing";
import type { Backend } from "../backend";

export interface Quote {
  showId: string;
  seats: number;
  amountCents: number;
  currency: string;
  seatsLeft: number;
  /** Whether so many seats were left just now; a quote holds none of them. */
  available: boolean;
}

// Nobody waits for a quote: a late one is worth as little as none.
const TIMEOUT_MS = 8_000;

/**
 * Asks for a quote.
 *
 * @throws CallableError, such as `not-found`; Error for an answer that is no quote.
 */
export function askForQuote(
  showId: string,
  seats: number,
  backend: Pick<Backend, "callFunction" | "functionUrl">,
  tracing: Tracing,
): Promise<Quote> {
  const trace = tracing.begin({
    name: "quote",
    done: "Quoted",
    failed: "No quote",
    showId,
    line: __SOURCE_LINE__,
  });
  return within(trace, async () => {
    const answer = await trace.request(
      {
        method: "POST",
        url: backend.functionUrl("quote"),
        callable: "quote",
        line: __SOURCE_LINE__,
      },
      (sending) => backend.callFunction("quote", { show_id: showId, seats }, sending, TIMEOUT_MS),
    );
    return readQuote(answer);
  });
}

/** Reads what the function answered. @throws Error naming what is missing. */
export function readQuote(answer: unknown): Quote {
  const fields = (answer ?? {}) as Record<string, unknown>;
  const read = <T>(name: string, type: "string" | "number" | "boolean"): T => {
    const value = fields[name];
    if (typeof value === type) return value as T;
    throw new Error(`The quote has ${value === undefined ? "no" : "an odd"} ${name}.`);
  };
  return {
    showId: read("show_id", "string"),
    seats: read("seats", "number"),
    amountCents: read("amount_cents", "number"),
    currency: read("currency", "string"),
    seatsLeft: read("seats_left", "number"),
    available: read("available", "boolean"),
  };
}
