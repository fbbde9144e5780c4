import "./tickets.css";
import { Notice } from "../../../components/Notice";
import type { Feed } from "../../../components/useFeed";
import type { Show } from "../../../model/show";
import type { Ticket } from "../../../model/ticket";
import { TicketCard } from "./TicketCard";

interface Props {
  feed: Feed<Ticket>;
  shows: Show[];
  signedIn: boolean;
}

export function TicketsSection({ feed, shows, signedIn }: Props) {
  return (
    <section id="tickets" aria-labelledby="tickets-title" tabIndex={-1}>
      <div class="section-head">
        <h2 id="tickets-title">My tickets</h2>
      </div>
      {!signedIn || feed.status === "loading" ? (
        <Notice title="No tickets yet.">
          <p>They appear here the moment they are issued.</p>
        </Notice>
      ) : feed.status === "failed" ? (
        <Notice tone="bad" title="Your tickets can't be loaded." urgent>
          <p>The box office answered: {feed.error.message}</p>
          <button type="button" class="button" onClick={feed.retry}>
            Try again
          </button>
        </Notice>
      ) : feed.items.length === 0 && !feed.connected ? (
        <Notice title="Your tickets can't be loaded right now.">
          <p>They appear by themselves as soon as the box office can be reached.</p>
        </Notice>
      ) : feed.items.length === 0 ? (
        <Notice title="No tickets yet.">
          <p>They appear here the moment they are issued.</p>
        </Notice>
      ) : (
        <ul class="tickets">
          {feed.items.map((ticket) => (
            <TicketCard
              key={ticket.id}
              ticket={ticket}
              show={shows.find((show) => show.id === ticket.showId)}
            />
          ))}
        </ul>
      )}
    </section>
  );
}
