/** What the parts of the tally add up to. Pure. */

/** One document's share of the orders that have tickets, and of those tickets, for all shows. */
export interface Part {
  orders: number;
  seats: number;
}

/** The tally in words. */
export function inWords(parts: readonly Part[]): string {
  const sum = (of: (part: Part) => number) => parts.reduce((total, part) => total + of(part), 0);
  const orders = sum((part) => part.orders);
  const seats = sum((part) => part.seats);
  return `${counted(seats, "ticket")} out, of ${counted(orders, "order")}`;
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}
