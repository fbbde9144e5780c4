/** Answers that keep themselves up to date. */
import { useEffect, useState } from "preact/hooks";
import { ApiFailure } from "../api/client";

/** The latest answer, if any, and why the latest attempt failed, if it did. */
export interface Live<Answer> {
  answer: Answer | null;
  failure: ApiFailure | null;
}

/** `stale` says that the answer is that to the question before. */
export interface Kept<Answer> extends Live<Answer> {
  stale: boolean;
}

/** Asking takes up at most a fifth of the time, so that many spans don't keep the machine busy. */
const PATIENCE = 4;

/**
 * Asks again and again while the page is visible.
 *
 * @param key names the question; another key forgets the answer and asks at once.
 * @param ask asks once.
 * @param pauseMs how long to wait after an answer, in milliseconds; longer if it was slow to come.
 * @param keepAcrossKeys keeps the old answer until the new question is answered.
 * @param held asks no more while it is true.
 */
export function usePolling<Answer>(
  key: string,
  ask: (signal: AbortSignal) => Promise<Answer>,
  pauseMs: (answer: Answer | null) => number,
  keepAcrossKeys = false,
  held = false,
): Kept<Answer> {
  const [live, setLive] = useState<Live<Answer> & { key: string; answered: string }>({
    key,
    answered: key,
    answer: null,
    failure: null,
  });
  useEffect(() => {
    if (held) return;
    const abort = new AbortController();
    let timer: number | undefined;
    let answer: Answer | null = null;
    const turn = async () => {
      const asked = performance.now();
      try {
        answer = await ask(abort.signal);
        setLive({ key, answered: key, answer, failure: null });
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiFailure)) throw error;
        setLive((before) => ({ ...before, key, failure: error }));
      }
      if (!abort.signal.aborted && !document.hidden)
        timer = window.setTimeout(
          turn,
          Math.max(pauseMs(answer), PATIENCE * (performance.now() - asked)),
        );
    };
    const onVisibility = () => {
      window.clearTimeout(timer);
      if (!document.hidden) void turn();
    };
    document.addEventListener("visibilitychange", onVisibility);
    void turn();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [key, held]);
  if (live.key !== key && !keepAcrossKeys) return { answer: null, failure: null, stale: false };
  return { answer: live.answer, failure: live.failure, stale: live.answered !== key };
}
