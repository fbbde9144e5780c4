import { useEffect, useRef } from "preact/hooks";
import { Dialog } from "../../components/Dialog";
import { ErrorNotice } from "../../components/ErrorNotice";
import { useAction } from "../../components/useAction";
import { money, seatCount } from "../../model/format";
import type { Order } from "../../model/order";
import { describeOrganiserError } from "../../model/organiserError";
import { shortName } from "../../model/sales";
import type { Show } from "../../model/show";
import { tracing } from "../../tracing/load";
import { backend } from "./backend";
import { refund } from "./refund";

interface Props {
  order: Order;
  show: Show;
  online: boolean;
  onRefunded: (orderId: string) => void;
  onClose: () => void;
}

/** Confirms and makes a refund, and explains a failure. Modal; closes when it is done. */
export function RefundDialog({ order, show, online, onRefunded, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { progress, run } = useAction("The refund failed");
  const again = useRef<HTMLButtonElement>(null);
  const busy = progress.status === "busy";
  useEffect(() => {
    // The button lost the focus when it was disabled during the request.
    if (progress.status === "failed") again.current?.focus();
  }, [progress]);

  const confirm = () =>
    run(async (traced) => {
      const [loaded, trace] = await Promise.all([backend, tracing()]);
      const started = refund(order, loaded, trace);
      traced(started.traceId);
      await started.refunded;
      // The dialog is closed first, because closing moves the focus, which the order then takes.
      dialog.current?.close();
      onRefunded(order.id);
    });

  const amount =
    order.amountCents === null ? "the money" : money(order.amountCents, order.currency);
  return (
    <Dialog
      dialog={dialog}
      labelledBy="refund-title"
      describedBy="refund-what"
      size="small"
      onClose={onClose}
    >
      <h2 id="refund-title">Refund order {shortName(order.id)}?</h2>
      <p id="refund-what">
        {capitalised(amount)} for {seatCount(order.seats)} of {show.title} goes back to the card.
        The tickets become void and the seats go back on sale. This can't be undone.
      </p>
      <div class="dialog-outcome">
        {progress.status === "failed" && (
          <ErrorNotice
            error={describeOrganiserError("refund", progress.error)}
            traceId={progress.traceId}
          />
        )}
      </div>
      <div class="row-end">
        <button type="button" class="button" onClick={() => dialog.current?.close()}>
          {busy ? "Close" : "Keep order"}
        </button>
        <button
          ref={again}
          type="button"
          class="button danger"
          disabled={busy || !online}
          onClick={() => void confirm()}
        >
          {busy ? "Refunding…" : `Refund ${amount}`}
        </button>
      </div>
    </Dialog>
  );
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
