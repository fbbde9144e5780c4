import "./tickets.css";
import { FeedView } from "../../../components/FeedView";
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
  const emptyState = (
    <Notice title="No tickets yet.">
      <p>They appear here the moment they are issued.</p>
    </Notice>
  );
  return (
    <section id="tickets" aria-labelledby="tickets-title" tabIndex={-1}>
      <div class="section-head">
        <h2 id="tickets-title">My tickets</h2>
      </div>
      <FeedView
        feed={signedIn ? feed : { status: "loading" }}
        errorTitle="Your tickets can't be loaded."
        // Most visitors have no tickets, so for them the layout does not shift.
        loadingState={emptyState}
        emptyState={emptyState}
        offlineState={
          <Notice title="Your tickets can't be loaded right now.">
            <p>They appear automatically once the box office can be reached.</p>
          </Notice>
        }
      >
        {(tickets) => (
          <ul class="tickets">
            {tickets.map((ticket) => (
              <TicketCard
                key={ticket.id}
                ticket={ticket}
                show={shows.find((show) => show.id === ticket.showId)}
              />
            ))}
          </ul>
        )}
      </FeedView>
    </section>
  );
}
