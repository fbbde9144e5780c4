import { useCallback } from "preact/hooks";
import { useAction } from "../../../components/useAction";
import { settings } from "../../../settings";
import { tracing } from "../../../tracing/load";
import { backend } from "../backend";
import { buy, type Purchase } from "./buy";

/**
 * Run one purchase at a time.
 *
 * @param onPlaced is called with the order's id once the server has it, even if the dialog has
 * been closed.
 */
export function usePurchase(onPlaced: (orderId: string) => void) {
  const { progress, run } = useAction("The purchase failed");
  const start = useCallback(
    (purchase: Purchase) =>
      run(async (traced) => {
        const [loaded, trace] = await Promise.all([backend, tracing()]);
        const started = buy(purchase, loaded, trace, settings.acquirerUrl);
        traced(started.traceId);
        await started.placed;
        onPlaced(started.orderId);
      }),
    [run, onPlaced],
  );
  return { progress, start };
}
