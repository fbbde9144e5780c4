/** What a guest has bought: "your order and its ticket", "your 3 orders and their tickets". */
export function ordersInWords(count: number): string {
  return count === 1 ? "your order and its tickets" : `your ${count} orders and their tickets`;
}
