import type { TraceCarrier } from "../throughline/carrier";

/** A quote: what seats cost, and whether they are available. */
export interface Quote {
  showId: string;
  seats: number;
  amountCents: number;
  currency: string;
  seatsLeft: number;
  /** Whether this many seats were left when it was given; a quote holds none of them. */
  available: boolean;
  /** The carrier of the trace in which it was given, for the purchase to link. */
  carrier?: TraceCarrier;
}

/** Read the `quote` function's answer. @throws Error naming a missing or mistyped field. */
export function readQuote(answer: unknown): Quote {
  const fields = (answer ?? {}) as Record<string, unknown>;
  const read = <T>(name: string, type: "string" | "number" | "boolean"): T => {
    const value = fields[name];
    if (typeof value === type) return value as T;
    throw new Error(`The quote has ${value === undefined ? "no" : "an invalid"} ${name}.`);
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
