import type { RefObject } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { announce } from "../../components/Announcer";
import { FeedView } from "../../components/FeedView";
import { Notice } from "../../components/Notice";
import { SeatsBar } from "../../components/SeatsBar";
import { Skeleton } from "../../components/Skeleton";
import type { Feed } from "../../components/useFeed";
import { dayAndTime, money } from "../../model/format";
import type { Order } from "../../model/order";
import { MOST_SALES, salesOf, shortName } from "../../model/sales";
import type { Show } from "../../model/show";
import { RefundDialog } from "./RefundDialog";
import { SaleRow } from "./SaleRow";

interface Props {
  show: Show;
  feed: Feed<Order>;
  online: boolean;
  title: RefObject<HTMLHeadingElement | null>;
}

/** What one show has sold, live. */
export function ShowSales({ show, feed, online, title }: Props) {
  const orders = feed.status === "ready" ? feed.items : [];
  const sales = salesOf(orders, show);
  const known = feed.status === "ready" && (feed.connected || orders.length > 0);
  const sold = show.seatsTotal > 0 ? sales.soldSeats / show.seatsTotal : 0;
  return (
    <>
      <div class="section-head">
        <h2 id="sales-title" ref={title} tabIndex={-1}>
          <span class="unseen">Sales of </span>
          {show.title}
        </h2>
        <p class="soft">
          {dayAndTime(show.startsAt)} · {show.venue}, {show.city} ·{" "}
          {money(show.priceCents, show.currency)} a seat
          {show.saleEndsAt && ` · on sale until ${dayAndTime(show.saleEndsAt)}`}
        </p>
      </div>
      <dl class="figures" data-sales-of={show.id}>
        <Figure
          name="Seats sold"
          value={known ? `${sales.soldSeats}` : "–"}
          detail={`of ${show.seatsTotal}${sales.heldSeats > 0 ? `, ${sales.heldSeats} held` : ""}`}
          share={known ? sold : 0}
        />
        <Figure
          name="Takings"
          value={known ? money(sales.takingsCents, sales.currency) : "–"}
          detail={
            sales.refundedCents > 0
              ? `${money(sales.refundedCents, sales.currency)} refunded`
              : "none refunded"
          }
        />
        <Figure
          name="Orders"
          value={known ? `${orders.length}` : "–"}
          detail={`${show.seatsLeft} ${show.seatsLeft === 1 ? "seat" : "seats"} left`}
        />
      </dl>
      {orders.length >= MOST_SALES && (
        <p class="paused">Only the newest {MOST_SALES} orders are counted and shown.</p>
      )}
      <Orders show={show} feed={feed} online={online} />
    </>
  );
}

interface FigureProps {
  name: string;
  value: string;
  detail: string;
  /** From 0 to 1, as a bar. */
  share?: number;
}

function Figure({ name, value, detail, share }: FigureProps) {
  return (
    <div class="figure panel">
      <dt>{name}</dt>
      <dd>
        <span class="figure-value">{value}</span> <span class="soft">{detail}</span>
        {share !== undefined && <SeatsBar share={share} />}
      </dd>
    </div>
  );
}

const SHOWN_AT_FIRST = 50;

function Orders({ show, feed, online }: Omit<Props, "title">) {
  const orders = feed.status === "ready" ? feed.items : [];
  const [all, setAll] = useState(false);
  const [refunding, setRefunding] = useState<string | null>(null);
  const [refunded, setRefunded] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const close = useCallback(() => setRefunding(null), []);

  // The button that opened the dialog is gone with the tickets, so the order itself takes the focus.
  useEffect(() => {
    if (refunded === null) return;
    list.current?.querySelector<HTMLElement>(`[data-order-id="${refunded}"] h3`)?.focus();
    announce(`Order ${shortName(refunded)} is refunded.`);
  }, [refunded]);

  const order = orders.find(({ id }) => id === refunding);
  return (
    <FeedView
      feed={feed}
      errorTitle="The orders can't be loaded."
      loadingState={<Skeleton label="Loading the orders" />}
      emptyState={
        <Notice title="No orders yet.">
          <p>They appear here as people buy, step by step.</p>
        </Notice>
      }
      offlineState={
        <Notice title="The orders can't be loaded right now.">
          <p>They appear automatically once the box office can be reached.</p>
        </Notice>
      }
    >
      {(items) => (
        <>
          <ul class="sale-list panel" ref={list}>
            {(all ? items : items.slice(0, SHOWN_AT_FIRST)).map((sale) => (
              <SaleRow
                key={sale.id}
                order={sale}
                whyNotRefund={online ? null : "You are offline."}
                refund={setRefunding}
              />
            ))}
          </ul>
          {!all && items.length > SHOWN_AT_FIRST && (
            <button type="button" class="button wide" onClick={() => setAll(true)}>
              Show all {items.length} orders
            </button>
          )}
          {order && (
            <RefundDialog
              key={order.id}
              order={order}
              show={show}
              online={online}
              onRefunded={setRefunded}
              onClose={close}
            />
          )}
        </>
      )}
    </FeedView>
  );
}
