import { type Quote, readQuote } from "../../../model/quote";
import { type Tracing, within } from "../../../tracing/tracing";
import type { Backend } from "../backend";

// A later quote is of no use to the buyer.
const TIMEOUT_MS = 8_000;

/**
 * Request the price and availability of seats. Each call is one trace.
 *
 * @throws CallableError, such as `not-found`; Error for an answer that is not a quote.
 */
export function requestQuote(
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
    return { ...readQuote(answer), carrier: trace.carrier };
  });
}
