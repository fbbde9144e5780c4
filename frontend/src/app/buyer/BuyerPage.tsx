import { useCallback, useState } from "preact/hooks";
import { Announcer } from "../../components/Announcer";
import { ConnectionBanner } from "../../components/ConnectionBanner";
import { useOnline } from "../../components/useOnline";
import { Header } from "./Header";
import { OrdersSection } from "./orders/OrdersSection";
import { useOrders } from "./orders/useOrders";
import { PurchaseDialog } from "./purchase/PurchaseDialog";
import { ShowsSection } from "./shows/ShowsSection";
import { useSeatsLeft } from "./shows/useSeatsLeft";
import { useShows } from "./shows/useShows";
import { TicketsSection } from "./tickets/TicketsSection";
import { useTickets } from "./tickets/useTickets";
import { useBuyer } from "./useBuyer";

/** The whole page: shows on sale, this buyer's orders and tickets, and the dialog that buys. */
export function Page() {
  const online = useOnline();
  const { buyer, signIn, signOut } = useBuyer();
  const uid = buyer.status === "signed-in" ? buyer.uid : null;
  const { feed: shows, lookedUpAt } = useSeatsLeft(useShows(), online);
  const orders = useOrders(uid);
  const tickets = useTickets(uid);
  const [buyingShowId, setBuyingShowId] = useState<string | null>(null);
  const [newestOrderId, setNewestOrderId] = useState<string | null>(null);
  const closeDialog = useCallback(() => setBuyingShowId(null), []);

  const showList = shows.status === "ready" ? shows.items : [];
  const buyingShow = showList.find((show) => show.id === buyingShowId);
  // An empty list has a notice of its own.
  const connected = [shows, orders].every(
    (feed) => feed.status !== "ready" || feed.connected || feed.items.length === 0,
  );
  const whyNotBuy = !online
    ? "You are offline. You can buy again once you are online."
    : buyer.status === "signed-out"
      ? "You are signed out. Continue as a guest to buy."
      : buyer.status === "failed"
        ? "Signing in failed. Try again to buy."
        : null;

  return (
    <>
      <a class="skip" href="#shows">
        Skip to the shows
      </a>
      <Header
        buyer={buyer}
        signIn={signIn}
        signOut={signOut}
        orderCount={orders.status === "ready" ? orders.items.length : 0}
        ticketCount={tickets.status === "ready" ? tickets.items.length : 0}
      />
      <ConnectionBanner online={online} connected={connected} paused="Buying is paused" />
      <main class="page">
        <ShowsSection
          feed={shows}
          lookedUpAt={lookedUpAt}
          whyNotBuy={whyNotBuy}
          buy={setBuyingShowId}
        />
        <div class="mine">
          <OrdersSection
            feed={orders}
            shows={showList}
            buyer={buyer}
            signIn={signIn}
            newestOrderId={newestOrderId}
          />
          <TicketsSection feed={tickets} shows={showList} signedIn={uid !== null} />
        </div>
      </main>
      <footer class="foot">
        <p>
          The card processor is a stand-in and takes test cards only. No money moves, and no card
          number reaches this box office.
        </p>
      </footer>
      {buyingShow && (
        <PurchaseDialog
          key={buyingShow.id}
          show={buyingShow}
          uid={uid}
          whyNotBuy={whyNotBuy}
          onPlaced={setNewestOrderId}
          onClose={closeDialog}
        />
      )}
      <Announcer />
    </>
  );
}
