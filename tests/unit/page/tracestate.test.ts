/** W3C Trace Context level 2, sections 3.3 and 3.5: the list that a page reads and sends on. */
import { expect, test } from "vitest";
import { extract, inject } from "../../../frontend/src/throughline/carrier";
import { parseTraceState } from "../../../frontend/src/throughline/tracestate";

const GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

function members(count: number): string {
  return Array.from({ length: count }, (_, n) => `k${n}=1`).join(",");
}

function sized(chars: number, ...keys: string[]): string {
  return keys.map((key) => `${key}=${"v".repeat(chars - 2)}`).join(",");
}

test.each([
  ["3.3.1.1", "white space around members is optional", "a=1 \t,\t b=2 ", "a=1,b=2"],
  ["3.3.1.1", "empty members are allowed", ",a=1,,b=2,", "a=1,b=2"],
  ["3.3.1.1", "MUST accept an empty list, SHOULD avoid sending one", " , ", undefined],
  ["3.3.1.1", "a list has at most 32 members", members(32), members(32)],
  ["3.3.1.1", "a list of 33 may be dropped", members(33), undefined],
  ["3.3.1.3", "a key has up to 256 characters", `${"k".repeat(256)}=1`, `${"k".repeat(256)}=1`],
  ["3.3.1.3", "and no more", `${"k".repeat(257)}=1`, undefined],
  ["3.3.1.3", "level 1: tenant@system", "9t@sys=1", "9t@sys=1"],
  ["3.3.1.3", "level 2: a digit may come first", "9a_-*/=1", "9a_-*/=1"],
  ["3.3.1.3", "MUST begin with a lowercase letter or digit", "_a=1", undefined],
  ["3.3.1.3", "only lowercase letters", "aB=1", undefined],
  ["3.3.1.3", "one entry per key: the first stays, in its place", "a=1,b=2,a=1", "a=1,b=2"],
  ["3.3.1.3", "also with another value", "a=1,b=2,a=3,c=4", "a=1,b=2,c=4"],
  ["3.3.1.4", "a value is printable ASCII", 'a= !"#~', 'a= !"#~'],
  ["3.3.1.4", "without =", "a=1=2", undefined],
  ["3.3.1.4", "without line breaks", "a=1\n", undefined],
  ["3.3.1.4", "a value is not empty", "a=", undefined],
  [
    "3.3.1.5",
    "SHOULD propagate 512 characters",
    sized(170, "a", "b", "c"),
    sized(170, "a", "b", "c"),
  ],
  [
    "3.3.1.5",
    "SHOULD remove members over 128 characters first, whole",
    `${sized(100, "a")},${sized(200, "b")},${sized(100, "c")},${sized(150, "d")}`,
    `${sized(100, "a")},${sized(200, "b")},${sized(100, "c")}`,
  ],
  [
    "3.3.1.5",
    "SHOULD then remove from the end",
    sized(100, "a", "b", "c", "d", "e", "f"),
    sized(100, "a", "b", "c", "d", "e"),
  ],
  ["3.5", "MUST preserve the order", "z=1,a=2,m=3", "z=1,a=2,m=3"],
])("%s: %s", (_section, _requirement, received, sent) => {
  const extraction = extract({ traceparent: GOOD, tracestate: received });
  if (extraction.state !== "carried") throw new Error("a tracestate cost a good traceparent");
  expect(inject(extraction.spanContext)).toEqual({
    traceparent: GOOD,
    ...(sent === undefined ? {} : { tracestate: sent }),
  });
});

test.each([
  ["a=1,a=2", "tracestate repeats a key"],
  [members(33), "tracestate has more than 32 members"],
  ["a", "tracestate is malformed"],
  ["x".repeat(5000), "tracestate is longer than 512 characters"],
  ["a=1", undefined],
])("%.20s: the loss has the reason and does not quote the list", (value, loss) => {
  expect(parseTraceState(value).loss).toBe(loss);
});

test("3.5: a changed member goes to the left end, and a list is never changed in place", () => {
  const list = parseTraceState("a=1,b=2").traceState;
  expect(list?.set("b", "3").serialize()).toBe("b=3,a=1");
  expect(list?.set("c", "3").serialize()).toBe("c=3,a=1,b=2");
  expect(list?.unset("a").serialize()).toBe("b=2");
  expect([list?.get("a"), list?.get("c"), list?.serialize()]).toEqual(["1", undefined, "a=1,b=2"]);
});
