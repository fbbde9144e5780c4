/** A show as the page knows it. */
export interface Show {
  id: string;
  title: string;
  venue: string;
  city: string;
  blurb: string;
  startsAt: Date;
  priceCents: number;
  currency: string;
  seatsTotal: number;
  seatsLeft: number;
}
