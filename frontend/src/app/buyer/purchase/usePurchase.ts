import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import {
  describePurchaseError,
  type PurchaseErrorCode,
  purchaseErrorCode,
} from "../../../model/purchaseError";
import type { UserError } from "../../../model/userError";
import { settings } from "../../../settings";
import { tracing } from "../../../tracing/load";
import { backend } from "../backend";
import { buy, type Purchase } from "./buy";

/** How far a purchase has come. */
export type Progress =
  | { status: "idle" }
  | { status: "busy"; slow: boolean; traceId: string | null }
  | { status: "failed"; code: PurchaseErrorCode; error: UserError; traceId: string | null };

// A write that waits this long is waiting for the network, and the buyer should know.
const SLOW_AFTER_MS = 6_000;

/**
 * Run one purchase at a time.
 *
 * @param onPlaced is called with the order's id once the server has it, even if the dialog is closed
 * by then.
 */
export function usePurchase(onPlaced: (orderId: string) => void) {
  const [progress, setProgress] = useState<Progress>({ status: "idle" });
  const busy = useRef(false);
  const mounted = useRef(true);
  useEffect(
    () => () => {
      mounted.current = false;
    },
    [],
  );

  const start = useCallback(
    async (purchase: Purchase) => {
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
        const [loaded, trace] = await Promise.all([backend, tracing()]);
        const started = buy(purchase, loaded, trace, settings.acquirerUrl);
        traceId = started.traceId;
        await started.placed;
        onPlaced(started.orderId);
        report({ status: "idle" });
      } catch (error) {
        console.error("The purchase failed", error);
        report({
          status: "failed",
          code: purchaseErrorCode(error),
          error: describePurchaseError(error),
          traceId,
        });
      } finally {
        clearTimeout(slowTimer);
        busy.current = false;
      }
    },
    [onPlaced],
  );

  return { progress, start };
}
