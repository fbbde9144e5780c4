import { useEffect, useRef, useState } from "preact/hooks";
import { PlacedAt } from "../../../components/PlacedAt";
import { Standing } from "../../../components/Standing";
import { ShortSupportCode, TraceLink } from "../../../components/SupportCode";
import { money, seatCount } from "../../../model/format";
import type { Order } from "../../../model/order";
import { standingOf } from "../../../model/orderStates";
import type { Show } from "../../../model/show";
import { traceIdOf } from "../../../tracing/traceIdOf";
import { OrderSteps } from "./OrderSteps";

interface Props {
  order: Order;
  show: Show | undefined;
  /** Whether its steps are shown at first. */
  open: boolean;
  takeFocus: boolean;
}

export function OrderCard({ order, show, open, takeFocus }: Props) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (takeFocus) title.current?.focus();
  }, [takeFocus]);

  const expanded = chosen ?? open;
  const standing = standingOf(order);
  const traceId = traceIdOf(order.carrier);
  const name = show?.title ?? order.showId;
  const priceCents = order.amountCents ?? (show ? show.priceCents * order.seats : null);
  const stepsId = `steps-${order.id}`;
  return (
    <li
      class="order panel"
      data-order-id={order.id}
      data-order-state={order.state}
      data-trace-id={traceId}
    >
      <div class="order-head">
        <h3 ref={title} tabIndex={-1}>
          {name}
        </h3>
        <Standing label={standing.label} tone={standing.tone} />
        <p class="soft">
          {seatCount(order.seats)}
          {priceCents !== null && ` · ${money(priceCents, order.currency)}`}
          {order.placedAt && (
            <>
              {" · "}
              <PlacedAt at={order.placedAt} />
            </>
          )}
        </p>
      </div>
      {standing.explanation && (
        <div class={`explanation ${standing.tone}`}>
          <p>{standing.explanation.happened}</p>
          <p>{standing.explanation.hint}</p>
        </div>
      )}
      <div id={stepsId} hidden={!expanded}>
        <OrderSteps order={order} />
      </div>
      <div class="order-foot">
        <button
          type="button"
          class="plain"
          aria-expanded={expanded}
          aria-controls={stepsId}
          onClick={() => setChosen(!expanded)}
        >
          {expanded ? "Hide steps" : "Show steps"}
          <span class="unseen"> of {name}</span>
        </button>
        {traceId && (
          <>
            <TraceLink traceId={traceId} about={name}>
              See this order's trace
            </TraceLink>
            <ShortSupportCode traceId={traceId} about={name} />
          </>
        )}
      </div>
    </li>
  );
}
