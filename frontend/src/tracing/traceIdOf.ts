import { extract } from "../throughline/carrier";

/** Return the trace id in a document's `_trace` field, or undefined if that holds no valid one. */
export function traceIdOf(carrier: unknown): string | undefined {
  const context = extract(carrier);
  return context.state === "carried" ? context.spanContext.traceId : undefined;
}
