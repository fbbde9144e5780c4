import { TraceLink } from "../../components/SupportCode";
import { clock, dayAndTime, money, seatCount } from "../../model/format";
import type { Order } from "../../model/order";
import { STANDING, shortName } from "../../model/sales";
import { extract } from "../../throughline/carrier";

interface Props {
  order: Order;
  whyNotRefund: string | null;
  refund: (orderId: string) => void;
}

/** One order, as whoever sells sees it. */
export function SaleRow({ order, whyNotRefund, refund }: Props) {
  const standing = STANDING[order.state];
  const found = extract(order.carrier);
  const traceId = found.state === "carried" ? found.spanContext.traceId : undefined;
  const name = shortName(order.id);
  return (
    <li
      class="sale"
      data-order-id={order.id}
      data-order-state={order.state}
      data-trace-id={traceId}
    >
      <h3 tabIndex={-1}>
        <span class="unseen">Order </span>
        {name}
      </h3>
      <p class="sale-what">
        {seatCount(order.seats)}
        {order.amountCents !== null && ` · ${money(order.amountCents, order.currency)}`}
        {order.placedAt && (
          <>
            {" · "}
            <time
              class="soft"
              dateTime={order.placedAt.toISOString()}
              title={clock(order.placedAt)}
            >
              {dayAndTime(order.placedAt)}
            </time>
          </>
        )}
      </p>
      <span class={`standing ${standing.tone}`}>{standing.label}</span>
      <span class="sale-trace">
        {traceId && (
          <TraceLink traceId={traceId} about={`order ${name}`}>
            Trace
          </TraceLink>
        )}
      </span>
      <span class="sale-action">
        {order.state === "ticketed" && (
          <button
            type="button"
            class="button small"
            disabled={whyNotRefund !== null}
            title={whyNotRefund ?? undefined}
            onClick={() => refund(order.id)}
          >
            Refund<span class="unseen"> order {name}</span>
          </button>
        )}
      </span>
    </li>
  );
}
