import { money, seatCount } from "../../../model/format";
import type { QuoteProgress } from "./useQuote";

interface Props {
  seats: number;
  progress: QuoteProgress;
}

/** One line of constant height, so that the layout does not shift when the quote arrives. */
export function QuoteLine({ seats, progress }: Props) {
  return (
    <p class="quote" data-quote={progress.status} aria-live="polite">
      <Words seats={seats} progress={progress} />
    </p>
  );
}

function Words({ seats, progress }: Props) {
  if (progress.status === "asking") {
    return <span class="soft">Asking the box office for {seatCount(seats)}…</span>;
  }
  if (progress.status === "failed") {
    return (
      <>
        <span class="soft">The price couldn't be confirmed; you can still buy.</span>{" "}
        <button type="button" class="plain link" onClick={progress.retry}>
          Ask again
        </button>
      </>
    );
  }
  const { available, seatsLeft, amountCents, currency } = progress.quote;
  if (available) {
    return (
      <span class="quote-good">
        {money(amountCents, currency)} confirmed · {seatsLeft} left
      </span>
    );
  }
  return (
    <span class="quote-bad">
      {seatsLeft === 0 ? "None left" : `Only ${seatsLeft} left`} when we asked just now
    </span>
  );
}
