import { expect, test } from "vitest";
import { EMPTY_FORM, MOST, type NewShowForm, readForm } from "../../../frontend/src/model/newShow";
import type { Order, OrderState } from "../../../frontend/src/model/order";
import { ORDER_STATES } from "../../../frontend/src/model/order";
import { describeOrganiserError } from "../../../frontend/src/model/organiserError";
import { STANDING, salesOf, shortName } from "../../../frontend/src/model/sales";
import type { Show } from "../../../frontend/src/model/show";
import { tallyText } from "../../../frontend/src/model/tally";

const NOW = new Date(2026, 10, 23, 12, 0);

const GOOD: NewShowForm = {
  title: "  The   Night Ferry ",
  venue: "Harbour Playhouse",
  city: "Rotterdam",
  blurb: "A crossing in two acts.",
  startsAt: "2026-12-04T20:00",
  saleEndsAt: "",
  price: "42.50",
  seats: "180",
};

const errorsOf = (change: Partial<NewShowForm>) =>
  readForm({ ...GOOD, ...change }, NOW).errors ?? {};

test("a valid form becomes a show", () => {
  expect(readForm(GOOD, NOW)).toEqual({
    errors: null,
    show: {
      title: "The Night Ferry",
      venue: "Harbour Playhouse",
      city: "Rotterdam",
      blurb: "A crossing in two acts.",
      startsAt: new Date(2026, 11, 4, 20, 0),
      saleEndsAt: null,
      priceCents: 4250,
      seats: 180,
    },
  });
});

test("an empty form has an error for every required field", () => {
  const { show, errors } = readForm(EMPTY_FORM, NOW);
  expect(show).toBeNull();
  const { saleEndsAt, ...wanted } = EMPTY_FORM;
  expect(Object.keys(errors ?? {}).sort()).toEqual(Object.keys(wanted).sort());
});

test.each([
  ["2026-12-04T18:30", new Date(2026, 11, 4, 18, 30)],
  ["2026-12-04T20:00", new Date(2026, 11, 4, 20, 0)],
])("a sale that ends at %s ends then", (saleEndsAt, at) => {
  expect(readForm({ ...GOOD, saleEndsAt }, NOW).show?.saleEndsAt).toEqual(at);
});

test("a half-typed end of the sale is an error", () => {
  expect(readForm(GOOD, NOW, ["saleEndsAt"]).errors).toEqual({
    saleEndsAt: "Enter both day and time, or neither.",
  });
});

test("the end of the sale is not checked against an invalid start", () => {
  const errors = errorsOf({ startsAt: "", saleEndsAt: "2026-12-04T20:01" });
  expect(Object.keys(errors)).toEqual(["startsAt"]);
});

test.each([
  ["42", 4200],
  ["42,5", 4250],
  ["€ 0.05", 5],
  ["1000", 100_000],
])("a price of “%s” is %i cents", (price, cents) => {
  expect(readForm({ ...GOOD, price }, NOW).show?.priceCents).toBe(cents);
});

test.each([
  [{ title: "x".repeat(MOST.title + 1) }, "title", /At most 80 characters; this is 81/],
  [{ blurb: "   " }, "blurb", /sentence/],
  [{ startsAt: "2026-11-23T11:59" }, "startsAt", /in the future/],
  [{ startsAt: "soon" }, "startsAt", /not a valid day and time/],
  [{ saleEndsAt: "later" }, "saleEndsAt", /not a valid day and time/],
  [{ saleEndsAt: "2026-11-23T12:00" }, "saleEndsAt", /in the future/],
  [{ saleEndsAt: "2026-12-04T20:01" }, "saleEndsAt", /must end before the show begins/],
  [{ price: "free" }, "price", /42 or 42.50/],
  [{ price: "-5" }, "price", /42 or 42.50/],
  [{ price: "4.255" }, "price", /42 or 42.50/],
  [{ price: "0" }, "price", /at least/],
  [{ price: "1000.01" }, "price", /At most/],
  [{ seats: "0" }, "seats", /From 1/],
  [{ seats: "2001" }, "seats", /to 2,000/],
  [{ seats: "1.5" }, "seats", /whole number/],
  [{ seats: "1e3" }, "seats", /whole number/],
] as const)("%j is refused with a reason, and nothing else is", (change, field, reason) => {
  const errors = errorsOf(change);
  expect(Object.keys(errors)).toEqual([field]);
  expect(errors[field]).toMatch(reason);
});

const SHOW = { seatsTotal: 40, currency: "EUR" } as Show;

function order(state: OrderState, seats: number, amountCents: number | null): Order {
  return { id: "o", showId: "s", state, seats, amountCents } as Order;
}

test("sales count paid seats without refunds, and held seats separately", () => {
  const orders = [
    order("ticketed", 2, 8000),
    order("paid", 1, 4000),
    order("charging", 3, 12_000),
    order("reserved", 1, null),
    order("refunded", 2, 8000),
    order("declined", 4, 16_000),
    order("rejected", 8, null),
    order("expired", 1, 4000),
    order("placed", 1, null),
  ];
  expect(salesOf(orders, SHOW)).toEqual({
    soldSeats: 3,
    heldSeats: 4,
    takingsCents: 12_000,
    refundedCents: 8_000,
    currency: "EUR",
  });
});

test("a show without orders has totals of zero", () => {
  expect(salesOf([], SHOW)).toMatchObject({ soldSeats: 0, heldSeats: 0, takingsCents: 0 });
});

test("every state has a name, and an order's short name is the end of its id", () => {
  for (const state of ORDER_STATES) expect(STANDING[state].label).not.toBe("");
  expect(shortName("abcdefghijklmn7q2fAb")).toBe("7Q2FAB");
});

test.each([
  ["sign in", "auth/invalid-credential", /e-mail address or the password is wrong/],
  ["sign in", "auth/wrong-password", /e-mail address or the password is wrong/],
  ["sign in", "auth/user-not-found", /e-mail address or the password is wrong/],
  ["sign in", "auth/invalid-email", /not an e-mail address/],
  ["sign in", "auth/too-many-requests", /Too many/],
  ["sign in", "auth/network-request-failed", /can't be reached/],
  ["refund", "permission-denied", /not allowed to refund/],
  ["refund", "unauthenticated", /signed out/],
  ["refund", "failed-precondition", /can't be refunded/],
  ["refund", "deadline-exceeded", /did not answer in time/],
  ["create", "permission-denied", /refused/],
  ["create", "toString", /our side/],
  ["refund", undefined, /our side/],
] as const)("to %s with %s is explained, with what to do next", (what, code, title) => {
  const problem = describeOrganiserError(what, Object.assign(new Error("no"), { code }));
  expect(problem.title).toMatch(title);
  expect(problem.hint).not.toBe("");
});

test("a wrong password and an unknown address have the same message, so accounts cannot be probed", () => {
  const of = (code: string) => describeOrganiserError("sign in", { code });
  expect(of("auth/user-not-found")).toEqual(of("auth/wrong-password"));
});

test.each([
  [[], "0 tickets out, of 0 orders"],
  [[{ orders: 1, seats: 1 }], "1 ticket out, of 1 order"],
  [
    [
      { orders: 1200, seats: 2500 },
      { orders: -1, seats: -2 },
    ],
    "2,498 tickets out, of 1,199 orders",
  ],
])("the shards %j of the tally read “%s”", (shards, words) => {
  expect(tallyText(shards)).toBe(words);
});
