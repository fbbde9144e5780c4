/** Suggestions for the filter box: keys, operators, values, or `and` and `or`. */
import { useEffect, useState } from "preact/hooks";
import { ApiFailure } from "../api/client";
import { fetchKeys, fetchValues } from "../api/requests";
import {
  type Expected,
  expectedAt,
  JOINERS,
  OPERATORS,
  quoted,
  unquoted,
} from "../navigation/filter_syntax";

export interface Suggestion {
  label: string;
  hint: string;
  /** The filter's text with the suggestion inserted, and the caret's position after it. */
  text: string;
  caret: number;
  /** Whether the suggestion completes a comparison. */
  complete: boolean;
}

const TYPING_PAUSE_MS = 80;
const SUGGESTIONS_MAX = 40;

/** Return suggestions for the word at `caret` in `text`; none while the box is closed. */
export function useSuggestions(text: string, caret: number, open: boolean): Suggestion[] {
  const [fetched, setFetched] = useState(NONE);
  useEffect(() => {
    if (!open) {
      setFetched(NONE);
      return;
    }
    const abort = new AbortController();
    const expected = expectedAt(text, caret);
    const load = async () => {
      try {
        const offers = await offersFor(expected, abort.signal);
        setFetched({ context: contextOf(expected), offers: offers.slice(0, SUGGESTIONS_MAX) });
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiFailure)) throw error;
        // Typing works without suggestions; the view below reports the failure.
        setFetched(NONE);
      }
    };
    const timer = setTimeout(load, TYPING_PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, caret, open]);
  // The previous suggestions stay until new ones arrive, unless the context changes. Inserting one
  // replaces the word as it is now, which may be longer than when the suggestions were fetched.
  const expected = expectedAt(text, caret);
  if (fetched.context !== contextOf(expected)) return [];
  return fetched.offers.map((offer) => inserted(text, expected, offer));
}

type Offer = Pick<Suggestion, "label" | "hint">;

const NONE: { context: string; offers: Offer[] } = { context: "", offers: [] };

function contextOf({ kind, key }: Expected): string {
  return `${kind} ${key}`;
}

async function offersFor(expected: Expected, signal: AbortSignal): Promise<Offer[]> {
  if (expected.kind === "key") {
    const keys = await fetchKeys(expected.prefix, signal);
    return keys.map(({ key, kind, examples }) => ({
      label: key,
      hint: examples.slice(0, 2).join(", ") || kind,
    }));
  }
  if (expected.kind === "value") {
    const values = await fetchValues(expected.key, unquoted(expected.prefix), signal);
    return values.map(({ value, count }) => ({
      label: quoted(value),
      hint: count.toLocaleString("en"),
    }));
  }
  const words = expected.kind === "operator" ? [...OPERATORS, ...JOINERS] : JOINERS;
  return words
    .filter(([word]) => word.startsWith(expected.prefix.toLowerCase()))
    .map(([label, hint]) => ({ label, hint }));
}

function inserted(text: string, { kind, from, to }: Expected, offer: Offer): Suggestion {
  const rest = text.slice(to).replace(/^ /, "");
  const before = `${text.slice(0, from)}${offer.label} `;
  const complete = kind === "value" || offer.label === "exists";
  return { ...offer, text: before + rest, caret: before.length, complete };
}
