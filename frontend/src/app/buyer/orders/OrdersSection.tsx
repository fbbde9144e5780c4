import "./orders.css";
import { useState } from "preact/hooks";
import { FeedView } from "../../../components/FeedView";
import { Notice } from "../../../components/Notice";
import { Skeleton } from "../../../components/Skeleton";
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

// With more than this, the tickets below would be off screen.
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
  useStateAnnouncements(feed.status === "ready" ? feed.items : null, shows);

  if (buyer.status === "signed-out") {
    return (
      <Notice title="You are signed out.">
        <p>
          You can look at the shows. To buy, continue as a guest: no name, no e-mail, no password.
          Your orders then belong to this browser.
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
          You can see the shows. To buy and to see your orders, you must be signed in as a guest.
          Check your connection and try again.
        </p>
        <p class="soft detail">{buyer.error.message}</p>
        <button type="button" class="button primary" onClick={signIn}>
          Try again
        </button>
      </Notice>
    );
  }
  return (
    <FeedView
      feed={buyer.status === "loading" ? { status: "loading" } : feed}
      errorTitle="Your orders can't be loaded."
      loadingState={<Skeleton label="Loading your orders" />}
      emptyState={
        <Notice title="No orders yet.">
          <p>Buy a seat and follow your order here, step by step, as it happens.</p>
        </Notice>
      }
      offlineState={
        <Notice title="Your orders can't be loaded right now.">
          <p>They appear automatically once the box office can be reached.</p>
        </Notice>
      }
    >
      {(items) => (
        <>
          <ul class="orders">
            {(all ? items : items.slice(0, SHOWN_AT_FIRST)).map((order, place) => (
              <OrderCard
                key={order.id}
                order={order}
                show={shows.find((show) => show.id === order.showId)}
                open={place === 0 || !isSettled(order.state)}
                takeFocus={order.id === newestOrderId}
              />
            ))}
          </ul>
          {!all && items.length > SHOWN_AT_FIRST && (
            <button type="button" class="button wide" onClick={() => setAll(true)}>
              Show all {items.length} orders
            </button>
          )}
        </>
      )}
    </FeedView>
  );
}
