/** A show as the page knows it. */
export interface Show {
  id: string;
  title: string;
  venue: string;
  city: string;
  blurb: string;
  startsAt: Date;
  /** Orders that come later are turned down; null where no time ends the sale. */
  saleEndsAt: Date | null;
  priceCents: number;
  currency: string;
  seatsTotal: number;
  seatsLeft: number;
}
