import { useCallback, useEffect, useRef, useState } from "preact/hooks";

/** The progress of a person's action. */
export type Progress =
  | { status: "idle" }
  | { status: "busy"; slow: boolean; traceId: string | null }
  | { status: "failed"; error: unknown; traceId: string | null };

/** Does the work; calls `traced` with the id of its trace as soon as there is one. */
export type Action = (traced: (traceId: string) => void) => Promise<void>;

// A write that takes this long is waiting for the network, and the person should know.
const SLOW_AFTER_MS = 6_000;

/**
 * Run one action at a time.
 *
 * @param failure is written to the console, with the error, when an action fails.
 */
export function useAction(failure: string): {
  progress: Progress;
  run: (action: Action) => Promise<void>;
} {
  const [progress, setProgress] = useState<Progress>({ status: "idle" });
  const busy = useRef(false);
  const mounted = useRef(true);
  useEffect(
    () => () => {
      mounted.current = false;
    },
    [],
  );

  const run = useCallback(
    async (action: Action) => {
      if (busy.current) return;
      busy.current = true;
      const report = (next: Progress) => mounted.current && setProgress(next);
      let traceId: string | null = null;
      report({ status: "busy", slow: false, traceId });
      const slowTimer = setTimeout(
        () => report({ status: "busy", slow: true, traceId }),
        SLOW_AFTER_MS,
      );
      try {
        await action((id) => {
          traceId = id;
        });
        report({ status: "idle" });
      } catch (error) {
        console.error(failure, error);
        report({ status: "failed", error, traceId });
      } finally {
        clearTimeout(slowTimer);
        busy.current = false;
      }
    },
    [failure],
  );
  return { progress, run };
}
