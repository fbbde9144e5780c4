/** What the filter box offers at the caret: keys, operators, values, or a joiner. */
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
  /** The text with this in it, and where the caret is then. */
  text: string;
  caret: number;
  /** Whether a comparison is whole with it. */
  whole: boolean;
}

const TYPING_PAUSE_MS = 80;
const SHOWN_MOST = 40;

/** What may come at `caret` in `text`; none while the box is closed. */
export function useSuggestions(text: string, caret: number, open: boolean): Suggestion[] {
  const [found, setFound] = useState(NONE);
  useEffect(() => {
    if (!open) {
      setFound(NONE);
      return;
    }
    const abort = new AbortController();
    const expected = expectedAt(text, caret);
    const look = async () => {
      try {
        const offers = await offersFor(expected, abort.signal);
        setFound({ of: viewStateFrom(expected), offers: offers.slice(0, SHOWN_MOST) });
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiFailure)) throw error;
        // Typing goes on without them; that the Observatory is away is said below.
        setFound(NONE);
      }
    };
    const timer = setTimeout(look, TYPING_PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, caret, open]);
  // Until those for what is typed by now are there, the last ones stay, as long as they may come at
  // this place; taken, they take the place of what is typed by now.
  const expected = expectedAt(text, caret);
  if (found.of !== viewStateFrom(expected)) return [];
  return found.offers.map((offer) => placed(text, expected, offer));
}

type Offer = Pick<Suggestion, "label" | "hint">;

const NONE: { of: string; offers: Offer[] } = { of: "", offers: [] };

function viewStateFrom({ part, key }: Expected): string {
  return `${part} ${key}`;
}

async function offersFor(expected: Expected, signal: AbortSignal): Promise<Offer[]> {
  if (expected.part === "key") {
    const keys = await fetchKeys(expected.prefix, signal);
    return keys.map(({ key, kind, examples }) => ({
      label: key,
      hint: examples.slice(0, 2).join(", ") || kind,
    }));
  }
  if (expected.part === "value") {
    const values = await fetchValues(expected.key, unquoted(expected.prefix), signal);
    return values.map(({ value, count }) => ({
      label: quoted(value),
      hint: count.toLocaleString("en"),
    }));
  }
  const words = expected.part === "operator" ? [...OPERATORS, ...JOINERS] : JOINERS;
  return words
    .filter(([word]) => word.startsWith(expected.prefix.toLowerCase()))
    .map(([label, hint]) => ({ label, hint }));
}

function placed(text: string, { part, from, to }: Expected, offer: Offer): Suggestion {
  const rest = text.slice(to).replace(/^ /, "");
  const before = `${text.slice(0, from)}${offer.label} `;
  const whole = part === "value" || offer.label === "exists";
  return { ...offer, text: before + rest, caret: before.length, whole };
}
