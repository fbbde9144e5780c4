/** Polling: answers that are kept up to date while the page is visible. */
import { useEffect, useState } from "preact/hooks";
import { ApiFailure } from "../api/client";

/** The latest answer, null before the first, and the failure of the latest attempt, if it failed. */
export interface Polled<Answer> {
  answer: Answer | null;
  failure: ApiFailure | null;
}

/** `stale`: the answer belongs to the previous key. */
export interface PolledByKey<Answer> extends Polled<Answer> {
  stale: boolean;
}

/** The pause is at least this multiple of the last request's duration, to limit the server's load. */
const PAUSE_FACTOR = 4;

/**
 * Repeat a request while the page is visible, and return its latest outcome.
 *
 * @param key identifies the request; a new key drops the answer and sends at once.
 * @param fetchOnce sends one request.
 * @param pauseMs returns the milliseconds to wait after an answer; slow requests wait longer.
 * @param keepAcrossKeys keeps the old answer until the first one for the new key.
 * @param paused stops polling while it is true.
 */
export function usePolling<Answer>(
  key: string,
  fetchOnce: (signal: AbortSignal) => Promise<Answer>,
  pauseMs: (answer: Answer | null) => number,
  keepAcrossKeys = false,
  paused = false,
): PolledByKey<Answer> {
  const [state, setState] = useState<Polled<Answer> & { key: string; answeredKey: string }>({
    key,
    answeredKey: key,
    answer: null,
    failure: null,
  });
  useEffect(() => {
    if (paused) return;
    let answer: Answer | null = null;
    return pollWhileVisible(async (signal) => {
      const sentAt = performance.now();
      try {
        answer = await fetchOnce(signal);
        setState({ key, answeredKey: key, answer, failure: null });
      } catch (error) {
        if (signal.aborted) return null;
        if (!(error instanceof ApiFailure)) throw error;
        setState((before) => ({ ...before, key, failure: error }));
      }
      return Math.max(pauseMs(answer), PAUSE_FACTOR * (performance.now() - sentAt));
    });
  }, [key, paused]);
  if (state.key !== key && !keepAcrossKeys) return { answer: null, failure: null, stale: false };
  return { answer: state.answer, failure: state.failure, stale: state.answeredKey !== key };
}

/**
 * Call `poll` repeatedly while the page is visible, and again as soon as it becomes visible.
 *
 * @param poll returns the milliseconds until the next call, or null to wait until the page has been
 *   hidden and is shown again.
 * @returns a function that stops polling and aborts the call that is running.
 */
export function pollWhileVisible(
  poll: (signal: AbortSignal) => Promise<number | null>,
): () => void {
  const abort = new AbortController();
  let timer: number | undefined;
  const run = async () => {
    const pauseMs = await poll(abort.signal);
    if (pauseMs !== null && !abort.signal.aborted && !document.hidden)
      timer = window.setTimeout(run, pauseMs);
  };
  const onVisibilityChange = () => {
    window.clearTimeout(timer);
    if (!document.hidden) void run();
  };
  document.addEventListener("visibilitychange", onVisibilityChange);
  void run();
  return () => {
    abort.abort();
    window.clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisibilityChange);
  };
}
