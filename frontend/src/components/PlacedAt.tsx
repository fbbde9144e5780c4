import { clock, dayAndTime } from "../model/format";

/** When an order was placed, to the minute; the second is in its title. */
export function PlacedAt({ at, quiet = false }: { at: Date; quiet?: boolean }) {
  return (
    <time class={quiet ? "soft" : undefined} dateTime={at.toISOString()} title={clock(at)}>
      {dayAndTime(at)}
    </time>
  );
}
