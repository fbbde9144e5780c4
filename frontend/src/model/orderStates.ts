/** What an order's states mean to the person who placed it. */
import { seatCount } from "./format";
import type { Order, OrderState } from "./order";

/** The states of a successful order, in sequence. */
const PATH: readonly OrderState[] = ["placed", "reserved", "charging", "paid", "ticketed"];

const DONE: Record<OrderState, string> = {
  placed: "Order placed",
  reserved: "Seats held",
  charging: "Payment requested",
  paid: "Payment received",
  ticketed: "Tickets issued",
  rejected: "Turned down",
  declined: "Payment declined",
  expired: "Hold ran out",
  refunded: "Refunded",
  failed: "Order failed",
};

/** What was done when an order reached a state; without a hold, no seats are held. */
const doneLabel = ({ hasHold }: Order, state: OrderState): string =>
  state === "reserved" && !hasHold ? "Order accepted" : DONE[state];

const DOING: Partial<Record<OrderState, string>> = {
  placed: "Sending your order…",
  reserved: "Holding your seats…",
  charging: "Requesting payment…",
  paid: "Waiting for the bank…",
  ticketed: "Issuing your tickets…",
};

export interface Step {
  state: OrderState;
  label: string;
  status: "done" | "doing" | "ahead" | "stopped";
  /** When it was done; null if it was not, or the server has not confirmed it yet. */
  at: Date | null;
}

/** The order's steps so far, and, if it is still on its way, those ahead. */
export function stepsOf(order: Order): Step[] {
  const at = (state: OrderState) =>
    (state === "placed" ? order.placedAt : order.movedAt[state]) ?? null;
  const done = (state: OrderState): Step => ({
    state,
    label: doneLabel(order, state),
    status: "done",
    at: at(state),
  });

  const reached = PATH.indexOf(order.state);
  if (reached === -1) {
    const passed = PATH.filter((state) => state === "placed" || order.movedAt[state]);
    return [...passed.map(done), { ...done(order.state), status: "stopped" }];
  }
  const confirmed = order.hasPendingWrites ? reached - 1 : reached;
  return PATH.map((state, place) => {
    if (place <= confirmed) return done(state);
    if (place === confirmed + 1)
      return { state, label: DOING[state] ?? DONE[state], status: "doing", at: null };
    return { state, label: DONE[state], status: "ahead", at: null };
  });
}

/** An order's outlook, which determines its colour. */
export type Tone = "moving" | "good" | "bad" | "quiet";

/** An order's status and, if it failed, what happened and what to do next. */
export interface Standing {
  /** A label, the same for every state in progress; the steps show the details. */
  label: string;
  tone: Tone;
  explanation?: { happened: string; hint: string };
}

export function standingOf(order: Order): Standing {
  switch (order.state) {
    case "ticketed":
      return { label: order.seats === 1 ? "Ticket issued" : "Tickets issued", tone: "good" };
    case "rejected":
      return { label: "Not available", tone: "bad", explanation: whyRejected(order) };
    case "declined":
      return { label: "Card declined", tone: "bad", explanation: whyDeclined(order.reason) };
    case "expired":
      return {
        label: "Hold ran out",
        tone: "bad",
        explanation: whyExpired(order.reason),
      };
    case "refunded":
      return {
        label: "Refunded",
        tone: "quiet",
        explanation: {
          happened: "The tickets of this order are no longer valid.",
          hint: "The money goes back to the card you paid with.",
        },
      };
    case "failed":
      return { label: "Order failed", tone: "bad", explanation: whyFailed(order.reason) };
    default:
      return { label: "In progress", tone: "moving" };
  }
}

/** What has just happened to an order, as it is read out. */
export function newsOf(order: Order): string {
  const { explanation } = standingOf(order);
  const happened = order.hasPendingWrites ? "Sending your order" : doneLabel(order, order.state);
  return explanation ? `${happened}. ${explanation.happened} ${explanation.hint}` : `${happened}.`;
}

/** Return whether the order has reached a final state. */
export function isSettled(state: OrderState): boolean {
  return !PATH.includes(state) || state === "ticketed";
}

function whyExpired(reason: string): { happened: string; hint: string } {
  if (reason === "sold_out") {
    return {
      happened: "Other buyers paid for the last seats before your payment arrived.",
      hint: "You are not charged: the payment goes back to your card. Pick another show.",
    };
  }
  return {
    happened: "The payment did not arrive in time, so your seats are on sale again.",
    hint: "Your card was not charged. Buy again if there are seats left.",
  };
}

function whyRejected({ reason, seats, limit, held }: Order): { happened: string; hint: string } {
  if (reason === "sold_out") {
    return {
      happened: `There were not ${seatCount(seats)} left when your order came in. Another buyer was faster.`,
      hint: "Your card was not charged. Try fewer seats, or another show.",
    };
  }
  if (reason === "sale_over") {
    return {
      happened: "The sale had ended when your order came in.",
      hint: "Your card was not charged. Pick another show, or ask at the door.",
    };
  }
  if (reason === "show_begun") {
    return {
      happened: "The show had begun when your order came in.",
      hint: "Your card was not charged. Pick another show.",
    };
  }
  if (reason === "too_many_orders") {
    return {
      happened: `You have ${held} orders that are not paid for yet, and can have ${limit} at a time.`,
      hint: "Your card was not charged. Buy again when one of them is paid for.",
    };
  }
  if (reason === "too_many_seats") {
    return {
      happened: `You asked for ${seatCount(seats)}, and ${held} of your other orders are not paid for yet; you can have ${limit} at a time.`,
      hint: "Your card was not charged. Buy again when those are paid for.",
    };
  }
  if (reason === "unknown_show") {
    return {
      happened: "This show is no longer on sale.",
      hint: "Your card was not charged. Pick another show.",
    };
  }
  return {
    happened: "The box office could not take this order.",
    hint: "Your card was not charged. Try again, or pick another show.",
  };
}

function whyDeclined(reason: string): { happened: string; hint: string } {
  const released = "Nothing was charged and your seats are back on sale.";
  switch (reason) {
    case "insufficient_funds":
      return {
        happened: "The bank declined the payment: there is not enough money in the account.",
        hint: `${released} Buy again with another card, or fewer seats.`,
      };
    case "expired_card":
      return {
        happened: "The bank declined the payment: the card has expired.",
        hint: `${released} Buy again with a card that is still valid.`,
      };
    default:
      return {
        happened: "The bank declined the payment without giving a reason.",
        hint: `${released} Buy again with another card, or ask your bank.`,
      };
  }
}

function whyFailed(reason: string): { happened: string; hint: string } {
  switch (reason) {
    case "charge_refused":
      return {
        happened: "The card processor refused to take the payment for this order.",
        hint: "Nothing was charged and your seats are back on sale. Buy again with another card.",
      };
    case "charge_differs":
      return {
        happened: "Your card was charged another amount than this order costs.",
        hint: "The whole payment goes back to your card, and your seats are back on sale. Buy again, or ask the box office.",
      };
    default:
      return {
        happened: "The box office could not complete this order.",
        hint: "If you were charged, the money goes back to your card. Buy again, or ask the box office.",
      };
  }
}
