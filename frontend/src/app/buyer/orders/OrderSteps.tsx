import { clock, elapsed } from "../../../model/format";
import type { Order } from "../../../model/order";
import { type Step, stepsOf } from "../../../model/orderStates";

const SPOKEN: Record<Step["status"], string> = {
  done: "Done: ",
  doing: "Now: ",
  ahead: "Still to come: ",
  stopped: "Stopped here: ",
};

/** An order's steps, one per line, with the time that each took. */
export function OrderSteps({ order }: { order: Order }) {
  return (
    <ol class="steps">
      {stepsOf(order).map((step) => (
        <li
          key={step.state}
          class={`step ${step.status}`}
          aria-current={step.status === "doing" ? "step" : undefined}
        >
          <span class="step-dot" aria-hidden="true" />
          <span class="step-label">
            <span class="unseen">{SPOKEN[step.status]}</span>
            {step.label}
          </span>
          {step.at && (
            <span class="step-time">
              {order.placedAt && step.state !== "placed" && (
                <span class="step-elapsed">{elapsed(order.placedAt, step.at)}</span>
              )}
              <time dateTime={step.at.toISOString()}>{clock(step.at)}</time>
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}
