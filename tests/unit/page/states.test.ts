import { expect, test } from "vitest";
import { ORDER_STATES, type Order, type OrderState } from "../../../frontend/src/model/order";
import { isSettled, newsOf, standingOf, stepsOf } from "../../../frontend/src/model/orderStates";

function order(state: OrderState, change: Partial<Order> = {}): Order {
  return {
    id: "o",
    showId: "night-ferry",
    seats: 2,
    state,
    reason: "",
    limit: 0,
    held: 0,
    hasHold: true,
    placedAt: new Date(0),
    movedAt: {},
    amountCents: 8400,
    currency: "EUR",
    carrier: undefined,
    hasPendingWrites: false,
    ...change,
  };
}

const statuses = (of: Order) => stepsOf(of).map((step) => step.status);

test("an order in progress shows past, current and future steps", () => {
  expect(statuses(order("placed"))).toEqual(["done", "doing", "ahead", "ahead", "ahead"]);
  expect(statuses(order("charging"))).toEqual(["done", "done", "done", "doing", "ahead"]);
  expect(statuses(order("ticketed"))).toEqual(["done", "done", "done", "done", "done"]);
});

test("an order that the server has not confirmed is still being sent", () => {
  const sending = order("placed", { hasPendingWrites: true, placedAt: null });
  expect(statuses(sending)).toEqual(["doing", "ahead", "ahead", "ahead", "ahead"]);
  expect(stepsOf(sending)[0]?.label).toBe("Sending your order…");
  expect(newsOf(sending)).toBe("Sending your order.");
});

test("a failed order shows its steps and where it stopped", () => {
  const declined = order("declined", {
    movedAt: { reserved: new Date(1), charging: new Date(2), declined: new Date(3) },
  });
  expect(stepsOf(declined).map((step) => [step.state, step.status])).toEqual([
    ["placed", "done"],
    ["reserved", "done"],
    ["charging", "done"],
    ["declined", "stopped"],
  ]);
  expect(stepsOf(declined).at(-1)?.at).toEqual(new Date(3));
  expect(statuses(order("rejected"))).toEqual(["done", "stopped"]);
});

test.each([
  ["rejected", "sold_out", /not 2 seats left/],
  ["rejected", "unknown_show", /no longer on sale/],
  ["rejected", "sale_over", /sale had ended when your order came in/],
  ["rejected", "show_begun", /had begun when your order came in/],
  ["rejected", "too_many_orders", /You have 3 orders .+ can have 12 at a time/],
  ["rejected", "too_many_seats", /asked for 2 seats, and 3 of your other .+ can have 12/],
  ["rejected", "something_new", /could not take this order/],
  ["declined", "card_declined", /without giving a reason/],
  ["declined", "insufficient_funds", /not enough money/],
  ["declined", "expired_card", /has expired/],
  ["declined", "something_new", /without giving a reason/],
  ["expired", "", /on sale again/],
  ["expired", "sold_out", /Other buyers paid for the last seats/],
  ["refunded", "", /no longer valid/],
  ["failed", "charge_refused", /processor refused/],
  ["failed", "charge_differs", /another amount/],
  ["failed", "malformed_order", /could not complete/],
] as const)("%s because of “%s” is explained, with what to do next", (state, reason, happened) => {
  const { explanation } = standingOf(order(state, { reason, held: 3, limit: 12 }));
  expect(explanation?.happened).toMatch(happened);
  expect(explanation?.hint).not.toBe("");
});

test("a buyer who was not charged reads that nothing was charged", () => {
  for (const state of ["rejected", "declined", "expired"] as const) {
    expect(standingOf(order(state)).explanation?.hint).toMatch(/not charged|Nothing was charged/);
  }
});

test("an order without a hold is accepted, and no seats are called held", () => {
  const labels = (of: Order) => stepsOf(of).map((step) => step.label);
  expect(labels(order("reserved"))).toContain("Seats held");
  expect(labels(order("reserved", { hasHold: false }))).toContain("Order accepted");
  expect(labels(order("reserved", { hasHold: false }))).not.toContain("Seats held");
  expect(newsOf(order("reserved", { hasHold: false }))).toBe("Order accepted.");
});

test("a buyer whose order failed is told what happens to their money", () => {
  const hint = (reason: string) => standingOf(order("failed", { reason })).explanation?.hint;
  expect(hint("charge_refused")).toMatch(/Nothing was charged/);
  expect(hint("charge_differs")).toMatch(/whole payment goes back/);
  expect(hint("missing_document")).toMatch(/the money goes back/);
});

test("every state has a label, an announcement and a finality", () => {
  const final = ORDER_STATES.filter(isSettled);
  expect(final).toEqual(["ticketed", "rejected", "declined", "expired", "refunded", "failed"]);
  for (const state of ORDER_STATES) {
    expect(standingOf(order(state)).label).not.toBe("");
    expect(newsOf(order(state))).toMatch(/\.$/);
  }
});

test("one seat is one ticket", () => {
  expect(standingOf(order("ticketed", { seats: 1 })).label).toBe("Ticket issued");
  expect(standingOf(order("ticketed", { seats: 2 })).label).toBe("Tickets issued");
});
