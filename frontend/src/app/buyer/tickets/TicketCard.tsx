import { dayAndTime } from "../../../model/format";
import type { Show } from "../../../model/show";
import type { Ticket } from "../../../model/ticket";

interface Props {
  ticket: Ticket;
  show: Show | undefined;
}

export function TicketCard({ ticket, show }: Props) {
  return (
    <li class="ticket" data-ticket-code={ticket.code} data-order-id={ticket.orderId}>
      <div class="ticket-words">
        <h3>{show?.title ?? ticket.showId}</h3>
        {show && (
          <p class="soft">
            <time dateTime={show.startsAt.toISOString()}>{dayAndTime(show.startsAt)}</time>
            <br />
            {show.venue}, {show.city}
          </p>
        )}
      </div>
      <div class="ticket-stub">
        <span class="soft">Ticket {ticket.number}</span>
        <code>{ticket.code}</code>
        <Bars code={ticket.code} />
      </div>
    </li>
  );
}

/** A decoration in the manner of a barcode; it encodes nothing. */
function Bars({ code }: { code: string }) {
  let x = 0;
  const bars = Array.from(`${code}${code}`, (character) => {
    const width = 1 + ((character.codePointAt(0) ?? 0) % 3);
    const bar = { x, width };
    x += width + 2;
    return bar;
  });
  return (
    <svg class="bars" viewBox={`0 0 ${x} 20`} preserveAspectRatio="none" aria-hidden="true">
      {bars.map((bar) => (
        <rect key={bar.x} x={bar.x} width={bar.width} height="20" fill="currentColor" />
      ))}
    </svg>
  );
}
