import "./orders.css";
import { useState } from "preact/hooks";
import { Notice } from "../../../components/Notice";
import type { Feed } from "../../../components/useFeed";
import type { Order } from "../../../model/order";
import { isSettled } from "../../../model/orderStates";
import type { Show } from "../../../model/show";
import type { Buyer } from "../useBuyer";
import { OrderCard } from "./OrderCard";
import { useStateAnnouncements } from "./useStateAnnouncements";

interface Props {
  feed: Feed<Order>;
  shows: Show[];
  buyer: Buyer;
  signIn: () => void;
  /** The order placed last in this view; it takes the focus when it appears. */
  newestOrderId: string | null;
}

// More than this and the tickets below are out of sight.
const SHOWN_AT_FIRST = 4;

export function OrdersSection(props: Props) {
  return (
    <section id="orders" aria-labelledby="orders-title" tabIndex={-1}>
      <div class="section-head">
        <h2 id="orders-title">My orders</h2>
      </div>
      <Orders {...props} />
    </section>
  );
}

function Orders({ feed, shows, buyer, signIn, newestOrderId }: Props) {
  const [all, setAll] = useState(false);
  const orders = feed.status === "ready" ? feed.items : [];
  useStateAnnouncements(feed.status === "ready" ? orders : null, shows);

  if (buyer.status === "signed-out") {
    return (
      <Notice title="You are signed out.">
        <p>
          You can look at the shows. To buy, continue as a guest: no name, no e-mail, no password.
          Your orders then live in this browser.
        </p>
        <button type="button" class="button primary" onClick={signIn}>
          Continue as a guest
        </button>
      </Notice>
    );
  }
  if (buyer.status === "failed") {
    return (
      <Notice tone="bad" title="Signing in failed." urgent>
        <p>
          You can look at the shows, but to buy and to see your orders you need to be signed in as a
          guest. Check your connection and try again.
        </p>
        <p class="soft detail">{buyer.error.message}</p>
        <button type="button" class="button primary" onClick={signIn}>
          Try again
        </button>
      </Notice>
    );
  }
  if (feed.status === "failed") {
    return (
      <Notice tone="bad" title="Your orders can't be loaded." urgent>
        <p>The box office answered: {feed.error.message}</p>
        <button type="button" class="button" onClick={feed.retry}>
          Try again
        </button>
      </Notice>
    );
  }
  if (buyer.status === "loading" || feed.status === "loading") {
    return (
      <div class="notice panel skeleton" aria-busy="true">
        <span class="unseen">Loading your orders</span>
        <span class="bone" style={{ width: "50%" }} />
        <span class="bone" style={{ width: "90%" }} />
      </div>
    );
  }
  if (orders.length === 0) {
    return feed.connected ? (
      <Notice title="No orders yet.">
        <p>Buy a seat and follow your order here, step by step, as it happens.</p>
      </Notice>
    ) : (
      <Notice title="Your orders can't be loaded right now.">
        <p>They appear by themselves as soon as the box office can be reached.</p>
      </Notice>
    );
  }
  const shown = all ? orders : orders.slice(0, SHOWN_AT_FIRST);
  return (
    <>
      <ul class="orders">
        {shown.map((order, place) => (
          <OrderCard
            key={order.id}
            order={order}
            show={shows.find((show) => show.id === order.showId)}
            open={place === 0 || !isSettled(order.state)}
            takeFocus={order.id === newestOrderId}
          />
        ))}
      </ul>
      {orders.length > shown.length && (
        <button type="button" class="button wide" onClick={() => setAll(true)}>
          Show all {orders.length} orders
        </button>
      )}
    </>
  );
}
