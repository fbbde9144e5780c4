import { expect, test } from "vitest";
import { writeBaggage } from "../../../frontend/src/throughline/baggage";

const ALLOWED = ["order.id", "show.id"];

test("what is on the list is carried, in the list's order; the rest stays here", () => {
  const entries = { "show.id": "night-ferry", "user.email": "a@b.example", "order.id": "7Q2F" };
  expect(writeBaggage(entries, ALLOWED)).toBe("order.id=7Q2F,show.id=night-ferry");
});

test("nothing to carry is no baggage", () => {
  expect(writeBaggage({}, ALLOWED)).toBeUndefined();
  expect(writeBaggage({ "order.id": undefined, "show.id": "" }, ALLOWED)).toBeUndefined();
});

test("a value cannot smuggle in another member or a header", () => {
  const hostile = 'x,admin=yes;p="1"\r\nset-cookie: a=b';
  const written = writeBaggage({ "show.id": hostile }, ALLOWED) ?? "";
  expect(written).not.toMatch(/[,;"\r\n ]/);
  expect(decodeURIComponent(written.slice("show.id=".length))).toBe(hostile);
});

test("what is too long to be passed on is not sent", () => {
  expect(writeBaggage({ "show.id": "s".repeat(9_000) }, ALLOWED)).toBeUndefined();
});
