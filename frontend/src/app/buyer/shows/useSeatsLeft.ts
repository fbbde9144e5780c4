import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Feed } from "../../../components/useFeed";
import type { Show } from "../../../model/show";
import { tracing } from "../../../tracing/load";
import { requestSeatsLeft, type SeatsLeft } from "./requestSeatsLeft";

// Most lost connections are back within this time.
const PATIENCE_MS = 2_000;
const EVERY_MS = 10_000;
const EVERY_MAX_MS = 80_000;

/** The shows, and when the seats left were looked up; null while the live list is connected. */
export interface ShowsAndAge {
  feed: Feed<Show>;
  lookedUpAt: Date | null;
}

/**
 * Look up the seats left every ten seconds while the live list of shows has lost its connection;
 * less often while that fails too.
 */
export function useSeatsLeft(feed: Feed<Show>, online: boolean): ShowsAndAge {
  const [known, setKnown] = useState<SeatsLeft | null>(null);
  const down = online && feed.status === "ready" && !feed.connected && feed.items.length > 0;
  const showIds = useRef<string[]>([]);
  if (feed.status === "ready") showIds.current = feed.items.map((show) => show.id);

  useEffect(() => {
    if (!down) {
      setKnown(null);
      return undefined;
    }
    let timer: ReturnType<typeof setTimeout>;
    let stopped = false;
    const look = async (waitMs: number) => {
      let nextMs = EVERY_MS;
      // A hidden page sends no requests.
      if (document.visibilityState === "visible") {
        try {
          const seats = await requestSeatsLeft(showIds.current, location.origin, await tracing());
          if (!stopped) setKnown(seats);
        } catch (error) {
          console.warn("The seats left could not be requested either", error);
          nextMs = Math.min(2 * waitMs, EVERY_MAX_MS);
        }
      }
      if (!stopped) timer = setTimeout(() => void look(nextMs), nextMs);
    };
    timer = setTimeout(() => void look(EVERY_MS), PATIENCE_MS);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [down]);

  return useMemo(() => {
    if (!down || known === null || feed.status !== "ready") return { feed, lookedUpAt: null };
    const items = feed.items.map((show) => ({
      ...show,
      seatsLeft: known.seats.get(show.id) ?? show.seatsLeft,
    }));
    return { feed: { ...feed, items }, lookedUpAt: known.at };
  }, [feed, down, known]);
}
