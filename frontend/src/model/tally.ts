/** One document's share of the orders that have tickets, and of those tickets, for all shows. */
export interface TallyShard {
  orders: number;
  seats: number;
}

/** Return the tally in words, such as "12 tickets out, of 5 orders". */
export function tallyText(shards: readonly TallyShard[]): string {
  const sum = (of: (shard: TallyShard) => number) =>
    shards.reduce((total, shard) => total + of(shard), 0);
  const orders = sum((shard) => shard.orders);
  const seats = sum((shard) => shard.seats);
  return `${counted(seats, "ticket")} out, of ${counted(orders, "order")}`;
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}
