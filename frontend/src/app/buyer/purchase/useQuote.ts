import { useEffect, useRef, useState } from "preact/hooks";
import type { Quote } from "../../../model/quote";
import { tracing } from "../../../tracing/load";
import { backend } from "../backend";
import { requestQuote } from "./requestQuote";

/** The quote for the currently chosen seats. */
export type QuoteProgress =
  | { status: "asking" }
  | { status: "quoted"; quote: Quote }
  | { status: "failed"; retry: () => void };

// Stepping from two seats to six passes three numbers that need no quote.
const SETTLED_AFTER_MS = 250;

const ASKING: QuoteProgress = { status: "asking" };

/** A quote for `seats` of a show, requested at once and whenever they change. */
export function useQuote(showId: string, seats: number): QuoteProgress {
  const [progress, setProgress] = useState<QuoteProgress>(ASKING);
  const [attempt, setAttempt] = useState(0);
  const hasRequested = useRef(false);

  useEffect(() => {
    let current = true;
    const report = (next: QuoteProgress) => current && setProgress(next);
    report(ASKING);
    const ask = async () => {
      hasRequested.current = true;
      try {
        const [loaded, trace] = await Promise.all([backend, tracing()]);
        report({ status: "quoted", quote: await requestQuote(showId, seats, loaded, trace) });
      } catch (error) {
        console.warn("No quote was received; the price on the page is used", error);
        report({ status: "failed", retry: () => setAttempt((last) => last + 1) });
      }
    };
    const timer = setTimeout(() => void ask(), hasRequested.current ? SETTLED_AFTER_MS : 0);
    return () => {
      // A running request is not aborted, so that its trace is complete; its response is ignored.
      current = false;
      clearTimeout(timer);
    };
    // A new attempt requests another quote.
  }, [showId, seats, attempt]);

  // For one frame after a change, the quote is still that of the choice before.
  return progress.status === "quoted" && progress.quote.seats !== seats ? ASKING : progress;
}
