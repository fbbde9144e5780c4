/**
 * Baggage: a few names that travel beside the context, so that every span can be found by them.
 *
 * Every receiver of a request sees its baggage, so only listed keys leave the page.
 * Format: W3C Baggage, https://www.w3.org/TR/baggage/.
 */
import { BAGGAGE_MAX_CHARS } from "./carrier";

/** Values by key; an undefined value is left out. */
export type Baggage = Readonly<Record<string, string | undefined>>;

/**
 * Writes those of `entries` whose key is in `allowed` as the value of a `baggage` header.
 *
 * @returns undefined if there is nothing to carry, or if the header would be too long.
 */
export function writeBaggage(entries: Baggage, allowed: readonly string[]): string | undefined {
  const written = allowed
    .flatMap((key) => (entries[key] ? [`${key}=${encodeURIComponent(entries[key])}`] : []))
    .join(",");
  return written === "" || written.length > BAGGAGE_MAX_CHARS ? undefined : written;
}
