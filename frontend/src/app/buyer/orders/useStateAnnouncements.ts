import { useEffect, useRef } from "preact/hooks";
import { announce } from "../../../components/Announcer";
import type { Order } from "../../../model/order";
import { newsOf } from "../../../model/orderStates";
import type { Show } from "../../../model/show";

/** Announces each change of an order's state; null means the orders are not loaded yet. */
export function useStateAnnouncements(orders: Order[] | null, shows: Show[]): void {
  const known = useRef<Map<string, string> | null>(null);
  useEffect(() => {
    if (orders === null) {
      known.current = null;
      return;
    }
    const before = known.current;
    known.current = new Map(orders.map((order) => [order.id, newsOf(order)]));
    // The first list holds existing orders, which are not announced.
    if (before === null) return;
    for (const order of orders) {
      const news = newsOf(order);
      if (before.get(order.id) === news) continue;
      const title = shows.find((show) => show.id === order.showId)?.title ?? "Your order";
      announce(`${title}: ${news}`);
    }
  }, [orders, shows]);
}
