/**
 * Baggage: a few names that travel beside the context, so that every span can be found by them.
 *
 * Whoever gets a request gets its baggage, so only what is on the list leaves the page.
 * Format: W3C Baggage, https://www.w3.org/TR/baggage/.
 */
import { BAGGAGE_MAX_CHARS } from "./carrier";

/** What is to travel, by key; a value that is undefined does not. */
export type Baggage = Readonly<Record<string, string | undefined>>;

/**
 * Writes those of `entries` whose key is in `allowed` as the value of a `baggage` header.
 *
 * @returns undefined when there is nothing to carry, or when it would be too long to be passed on.
 */
export function writeBaggage(entries: Baggage, allowed: readonly string[]): string | undefined {
  const written = allowed
    .flatMap((key) => (entries[key] ? [`${key}=${encodeURIComponent(entries[key])}`] : []))
    .join(",");
  return written === "" || written.length > BAGGAGE_MAX_CHARS ? undefined : written;
}
