/** A show as the page knows it. */
export interface Show {
  id: string;
  title: string;
  venue: string;
  city: string;
  blurb: string;
  startsAt: Date;
  /** Later orders are rejected; null if the sale has no end. */
  saleEndsAt: Date | null;
  priceCents: number;
  currency: string;
  seatsTotal: number;
  seatsLeft: number;
}
