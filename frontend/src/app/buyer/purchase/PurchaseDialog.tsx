import "./purchase.css";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { CloseButton, Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Notice } from "../../../components/Notice";
import { SupportCode } from "../../../components/SupportCode";
import { cardNumberError } from "../../../model/card";
import { dayAndTime, money, seatCount } from "../../../model/format";
import { describePurchaseError, purchaseErrorCode } from "../../../model/purchaseError";
import { availabilityOf } from "../../../model/seats";
import type { Show } from "../../../model/show";
import { CardField } from "./CardField";
import { QuoteLine } from "./QuoteLine";
import { SeatStepper } from "./SeatStepper";
import { usePurchase } from "./usePurchase";
import { useQuote } from "./useQuote";

interface Props {
  show: Show;
  uid: string | null;
  whyNotBuy: string | null;
  onPlaced: (orderId: string) => void;
  onClose: () => void;
}

/** Chooses seats and pays for one show. Modal; closes itself once the order is placed. */
export function PurchaseDialog({ show, uid, whyNotBuy, onPlaced, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const outcome = useRef<HTMLDivElement>(null);
  const cardInput = useRef<HTMLInputElement>(null);
  const [wanted, setWanted] = useState(2);
  const [cardNumber, setCardNumber] = useState("");
  const [cardError, setCardError] = useState<string | null>(null);
  const { progress, start } = usePurchase((orderId) => {
    // If the buyer has closed the dialog, the focus stays where it is.
    if (!dialog.current?.open) return;
    // The dialog is closed first, because closing moves the focus, which the new order then takes.
    dialog.current.close();
    onPlaced(orderId);
  });

  useLayoutEffect(() => {
    // The title, not the first button: that is "Close", and a focused field opens phone keyboards.
    title.current?.focus();
  }, []);
  useEffect(() => {
    if (
      progress.status === "failed" &&
      purchaseErrorCode(progress.error) === "invalid-card-number"
    ) {
      cardInput.current?.focus();
    } else if (progress.status !== "idle") {
      outcome.current?.scrollIntoView({ block: "center" });
    }
  }, [progress]);

  const { most } = availabilityOf(show);
  const seats = Math.max(1, Math.min(wanted, most));
  const busy = progress.status === "busy";
  const reason =
    most === 0
      ? "The last seat has just been sold."
      : (whyNotBuy ?? (uid === null ? "Signing you in…" : null));
  const quoting = useQuote(show.id, seats);
  const quote = quoting.status === "quoted" ? quoting.quote : null;
  // The quote's price takes precedence over the show's.
  const total = money(
    quote?.amountCents ?? seats * show.priceCents,
    quote?.currency ?? show.currency,
  );

  const submit = (event: Event) => {
    event.preventDefault();
    const error = cardNumberError(cardNumber);
    setCardError(error);
    if (error !== null) cardInput.current?.focus();
    else if (reason === null && uid !== null) {
      void start({ uid, showId: show.id, seats, cardNumber, quote });
    }
  };

  return (
    <Dialog dialog={dialog} labelledBy="purchase-title" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <div class="sheet-head">
          <div>
            <h2 id="purchase-title" ref={title} tabIndex={-1}>
              {show.title}
            </h2>
            <p class="soft">
              {dayAndTime(show.startsAt)} · {show.venue}, {show.city}
            </p>
          </div>
          <CloseButton dialog={dialog} />
        </div>
        <SeatStepper seats={seats} most={Math.max(1, most)} disabled={busy} change={setWanted} />
        <CardField
          value={cardNumber}
          error={cardError}
          disabled={busy}
          input={cardInput}
          change={(value) => {
            setCardNumber(value);
            setCardError(null);
          }}
        />
        <div ref={outcome}>
          {progress.status === "failed" && (
            <ErrorNotice error={describePurchaseError(progress.error)} traceId={progress.traceId} />
          )}
          {busy && progress.slow && (
            <Notice title="Still waiting for the box office.">
              <p>
                Your order is on its way and this page keeps trying. Please keep it open: buying
                again would place a second order.
              </p>
              {progress.traceId && <SupportCode traceId={progress.traceId} />}
            </Notice>
          )}
        </div>
        <div class="sheet-foot">
          <QuoteLine seats={seats} progress={quoting} />
          {reason !== null && (
            <p class="why soft" id="why-not-pay">
              {reason}
            </p>
          )}
          <button
            type="submit"
            class="button primary wide"
            disabled={reason !== null || busy}
            aria-describedby={reason === null ? undefined : "why-not-pay"}
          >
            {busy ? "Placing your order…" : `Pay ${total}`}
          </button>
          <p class="soft total-detail">
            {seatCount(seats)} at {money(show.priceCents, show.currency)}
          </p>
        </div>
      </form>
    </Dialog>
  );
}
