import { expect, test } from "vitest";
import { cardNumberError, grouped, TEST_CARDS } from "../../../frontend/src/model/card";
import { dayAndTime, elapsed, money, seatCount } from "../../../frontend/src/model/format";
import {
  describePurchaseError,
  PurchaseError,
  purchaseErrorCode,
} from "../../../frontend/src/model/purchaseError";
import { availabilityOf } from "../../../frontend/src/model/seats";
import { inDisplayOrder, type Ticket } from "../../../frontend/src/model/ticket";

test("prices omit zero cents", () => {
  expect(money(4200, "EUR")).toBe("€42");
  expect(money(4250, "EUR")).toBe("€42.50");
  expect(money(0, "EUR")).toBe("€0");
  expect(money(123450, "EUR")).toBe("€1,234.50");
});

test("dates name the day, the month and the minute", () => {
  expect(dayAndTime(new Date(2026, 11, 4, 20, 0))).toBe("Fri 4 Dec, 20:00");
});

test("elapsed times get coarser as they get longer, and are never negative", () => {
  const from = new Date(1_000_000);
  const after = (ms: number) => elapsed(from, new Date(from.getTime() + ms));
  expect([after(0), after(840), after(12_400), after(200_000)]).toEqual([
    "+0.0 s",
    "+0.8 s",
    "+12 s",
    "+3 min",
  ]);
  expect(after(-50)).toBe("+0.0 s");
});

test("seats are counted in the singular and the plural", () => {
  expect([seatCount(1), seatCount(2)]).toEqual(["1 seat", "2 seats"]);
});

test.each([
  [126, "126 seats left", "plenty", 8],
  [10, "Last 10 seats", "few", 8],
  [3, "Last 3 seats", "few", 3],
  [1, "Last seat", "few", 1],
  [0, "Sold out", "none", 0],
  [-2, "Sold out", "none", 0],
])("%i seats left reads “%s”", (seatsLeft, label, tone, most) => {
  expect(availabilityOf({ seatsLeft })).toEqual({ label, tone, most });
});

test("the documented test cards pass the page's own check", () => {
  for (const { number } of TEST_CARDS) expect(cardNumberError(grouped(number))).toBeNull();
});

test.each([
  ["", /Enter a card number/],
  ["4242 4242 4242 424x", /digits only/],
  ["4242 4242", /has 8/],
  ["4".repeat(20), /has 20/],
  ["4242 4242 4242 4241", /mistyped/],
])("the card number “%s” is refused with a reason", (typed, reason) => {
  expect(cardNumberError(typed)).toMatch(reason);
});

test("spaces and dashes in a card number do not matter", () => {
  expect(cardNumberError("4242-4242 42424242")).toBeNull();
  expect(grouped("4242-4242 42424242")).toBe("4242 4242 4242 4242");
});

test.each([
  [new PurchaseError("processor-unreachable", "no"), "processor-unreachable"],
  [Object.assign(new Error("no"), { code: "permission-denied" }), "permission-denied"],
  [Object.assign(new Error("no"), { code: "deadline-exceeded" }), "unavailable"],
  [Object.assign(new Error("no"), { code: "unauthenticated" }), "signed-out"],
  [Object.assign(new Error("no"), { code: "toString" }), "unknown"],
  [new Error("no"), "unknown"],
  [undefined, "unknown"],
])("%o is a problem of the kind %s, with advice", (error, code) => {
  expect(purchaseErrorCode(error)).toBe(code);
  expect(describePurchaseError(error).hint).toMatch(/charged/);
});

test("tickets are sorted by order, newest first, and by number within an order", () => {
  const ticket = (orderId: string, number: number, at: number): Ticket => ({
    id: `${orderId}-${number}`,
    orderId,
    showId: "night-ferry",
    number,
    code: "",
    issuedAt: new Date(at),
  });
  const tickets = [
    ticket("old", 2, 1),
    ticket("new", 2, 2),
    ticket("old", 1, 1),
    ticket("new", 1, 2),
  ];
  expect(tickets.sort(inDisplayOrder).map(({ id }) => id)).toEqual([
    "new-1",
    "new-2",
    "old-1",
    "old-2",
  ]);
});
