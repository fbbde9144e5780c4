import { SeatsBar } from "../../../components/SeatsBar";
import { dayAndTime, money } from "../../../model/format";
import { availabilityOf } from "../../../model/seats";
import type { Show } from "../../../model/show";
import { Poster } from "./Poster";

interface Props {
  show: Show;
  whyNotBuy: string | null;
  buy: (showId: string) => void;
}

/** The id of the text that says why nothing can be bought. */
export const WHY_NOT_BUY_ID = "why-not-buy";

export function ShowCard({ show, whyNotBuy, buy }: Props) {
  const availability = availabilityOf(show);
  const soldOut = availability.most === 0;
  const seatsId = `seats-${show.id}`;
  const sold = show.seatsTotal > 0 ? 1 - show.seatsLeft / show.seatsTotal : 0;
  return (
    <li class="show panel" data-show-id={show.id} data-seats-left={show.seatsLeft}>
      <Poster seed={show.id} />
      <div class="show-words">
        <h3>{show.title}</h3>
        <p class="soft">
          <time dateTime={show.startsAt.toISOString()}>{dayAndTime(show.startsAt)}</time>
          <br />
          {show.venue}, {show.city}
        </p>
        <p class="blurb">{show.blurb}</p>
      </div>
      <div class="seats">
        <span class={`seats-left ${availability.tone}`} id={seatsId}>
          {soldOut ? "Sold out: every seat is taken" : availability.label}
        </span>
        <SeatsBar share={sold} />
        <SaleEnd show={show} />
      </div>
      <div class="show-foot">
        <span class="price">
          {money(show.priceCents, show.currency)} <span class="soft">a seat</span>
        </span>
        <button
          type="button"
          class="button primary"
          disabled={soldOut || whyNotBuy !== null}
          aria-describedby={soldOut || whyNotBuy === null ? seatsId : WHY_NOT_BUY_ID}
          onClick={() => buy(show.id)}
        >
          {soldOut ? "Sold out" : "Buy"}
          <span class="unseen"> {show.title}</span>
        </button>
      </div>
    </li>
  );
}

/**
 * Until when a show is sold, or that it has begun. No button depends on it: the server decides whether an order came in
 * time, because the device's clock may be wrong.
 */
function SaleEnd({ show }: { show: Show }) {
  const at = show.saleEndsAt;
  if (show.startsAt.getTime() <= Date.now()) {
    return <span class="soft">The show has begun: no more tickets are sold</span>;
  }
  if (at === null) return null;
  return (
    <span class="soft">
      On sale until <time dateTime={at.toISOString()}>{dayAndTime(at)}</time>
    </span>
  );
}
