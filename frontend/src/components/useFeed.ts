import { useCallback, useEffect, useState } from "preact/hooks";
import type { Fail, Report } from "../model/live";

/** A live list as a component sees it. */
export type Feed<T> =
  | { status: "loading" }
  | { status: "failed"; error: Error; retry: () => void }
  | { status: "ready"; items: T[]; connected: boolean };

/** Starts a live query; returns a function that stops it. */
export type Subscribe<T> = (report: Report<T>, fail: Fail) => () => void;

/**
 * Follows a live query while the component is mounted.
 *
 * @param subscribe must be stable (`useCallback`), or null for nothing to follow yet.
 */
export function useFeed<T>(subscribe: Subscribe<T> | null): Feed<T> {
  const [feed, setFeed] = useState<Feed<T>>({ status: "loading" });
  const [attempt, setAttempt] = useState(0);
  const retry = useCallback(() => setAttempt((last) => last + 1), []);

  useEffect(() => {
    setFeed({ status: "loading" });
    if (!subscribe) return undefined;
    return subscribe(
      (live) => setFeed({ status: "ready", ...live }),
      (error) => {
        console.error("A live list failed", error);
        setFeed({ status: "failed", error, retry });
      },
    );
    // A new attempt subscribes again.
  }, [subscribe, retry, attempt]);

  return feed;
}
