/** One seat's ticket. */
export interface Ticket {
  id: string;
  orderId: string;
  showId: string;
  /** 1 for the order's first seat. */
  number: number;
  code: string;
  issuedAt: Date;
}

/** The newest order's tickets first, and within an order from the first seat on. */
export function inDisplayOrder(a: Ticket, b: Ticket): number {
  return (
    b.issuedAt.getTime() - a.issuedAt.getTime() ||
    a.orderId.localeCompare(b.orderId) ||
    a.number - b.number
  );
}
