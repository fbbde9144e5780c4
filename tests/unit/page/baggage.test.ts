import { expect, test } from "vitest";
import { writeBaggage } from "../../../frontend/src/throughline/baggage";

const ALLOWED = ["order.id", "show.id"];

test("only allowed keys are carried, in the order of the list", () => {
  const entries = { "show.id": "night-ferry", "user.email": "a@b.example", "order.id": "7Q2F" };
  expect(writeBaggage(entries, ALLOWED)).toBe("order.id=7Q2F,show.id=night-ferry");
});

test("without values there is no baggage", () => {
  expect(writeBaggage({}, ALLOWED)).toBeUndefined();
  expect(writeBaggage({ "order.id": undefined, "show.id": "" }, ALLOWED)).toBeUndefined();
});

test("a value cannot inject another member or header", () => {
  const hostile = 'x,admin=yes;p="1"\r\nset-cookie: a=b';
  const written = writeBaggage({ "show.id": hostile }, ALLOWED) ?? "";
  expect(written).not.toMatch(/[,;"\r\n ]/);
  expect(decodeURIComponent(written.slice("show.id=".length))).toBe(hostile);
});

test("baggage that is too long is not sent", () => {
  expect(writeBaggage({ "show.id": "s".repeat(9_000) }, ALLOWED)).toBeUndefined();
});
