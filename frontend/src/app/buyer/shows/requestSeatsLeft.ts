import { type Tracing, within } from "../../../tracing/tracing";

/** Seats left by show id, and the time of the request. */
export interface SeatsLeft {
  at: Date;
  seats: ReadonlyMap<string, number>;
}

const TIMEOUT_MS = 8_000;

/**
 * Request the seats left of each of `showIds`, in one trace, while the live list is not connected.
 *
 * @param origin of the page itself: the request goes through Hosting's rewrite.
 * @returns those that were answered. @throws Error if none was.
 */
export function requestSeatsLeft(
  showIds: readonly string[],
  origin: string,
  tracing: Tracing,
): Promise<SeatsLeft> {
  const trace = tracing.begin({
    name: "look up seats",
    line: __SOURCE_LINE__,
    done: "Seats looked up",
    failed: "Seats could not be looked up",
  });
  return within(trace, async () => {
    const seats = new Map<string, number>();
    let lastError: unknown;
    // In sequence, so that an overloaded box office gets no burst of requests.
    for (const showId of showIds) {
      const url = `${origin}/api/availability?show_id=${encodeURIComponent(showId)}`;
      try {
        const left = await trace.request(
          { method: "GET", url, line: __SOURCE_LINE__ },
          async ({ headers, answered }) => {
            const signal = AbortSignal.timeout(TIMEOUT_MS);
            const response = await fetch(url, { headers: { ...headers }, signal });
            answered(response.status);
            return readSeatsLeft(response.status, await response.json().catch(() => undefined));
          },
        );
        seats.set(showId, left);
      } catch (error) {
        lastError = error;
      }
    }
    if (seats.size === 0 && showIds.length > 0) throw lastError;
    return { at: new Date(), seats };
  });
}

function readSeatsLeft(status: number, body: unknown): number {
  const left = (body as { seats_left?: unknown } | null | undefined)?.seats_left;
  if (status !== 200 || typeof left !== "number" || !Number.isInteger(left)) {
    throw new Error(`The box office answered ${status} without a number of seats.`);
  }
  return Math.max(0, left);
}
