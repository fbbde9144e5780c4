import { expect, test } from "vitest";
import {
  BAGGAGE_MAX_CHARS,
  extract,
  inject,
  injectUnrecorded,
} from "../../../frontend/src/throughline/carrier";
import { TRACESTATE_MAX_CHARS } from "../../../frontend/src/throughline/tracestate";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const GOOD = `00-${TRACE}-${SPAN}-01`;

function carried(carrier: unknown) {
  const context = extract(carrier);
  if (context.state !== "carried") throw new Error(`not carried: ${JSON.stringify(context)}`);
  return context.spanContext;
}

function faultOf(carrier: unknown): string {
  const context = extract(carrier);
  return context.state === "invalid" ? context.reason : context.state;
}

function lossIn(carrier: unknown): string | undefined {
  const context = extract(carrier);
  if (context.state !== "carried") throw new Error(`not carried: ${JSON.stringify(context)}`);
  return context.reason;
}

test("an injected context is extracted unchanged", () => {
  const carrier = inject({ traceId: TRACE, spanId: SPAN, traceFlags: 1 });
  expect(carrier).toEqual({ traceparent: GOOD });
  expect(carried(carrier)).toEqual({
    traceId: TRACE,
    spanId: SPAN,
    traceFlags: 1,
    isRemote: true,
  });
});

test("tracestate and baggage are carried if present, and omitted otherwise", () => {
  const spanContext = carried({ traceparent: GOOD, tracestate: "vendor=a,other=b" });
  expect(inject(spanContext, "order.id=7Q2F")).toEqual({
    traceparent: GOOD,
    tracestate: "vendor=a,other=b",
    baggage: "order.id=7Q2F",
  });
});

test.each([undefined, null, {}, { traceparent: null }, { tracestate: "a=b" }])(
  "%j carries nothing, which is absent rather than invalid",
  (carrier) => {
    expect(extract(carrier)).toEqual({ state: "absent" });
  },
);

test.each([
  ["a string", GOOD, "carrier is a string, not a map"],
  ["a number", 7, "carrier is a number, not a map"],
  ["an array", [GOOD], "carrier is a array, not a map"],
  ["a traceparent that is a number", { traceparent: 1 }, "traceparent is a number, not a string"],
  ["a traceparent that is a map", { traceparent: {} }, "traceparent is a object, not a string"],
])("%s is invalid", (_what, carrier, reason) => {
  expect(faultOf(carrier)).toBe(reason);
});

test.each([
  ["empty", ""],
  ["upper case", GOOD.toUpperCase()],
  ["one digit short", GOOD.slice(0, -1)],
  ["one digit long", `${GOOD}0`],
  ["without flags", `00-${TRACE}-${SPAN}`],
  ["with a short trace id", `00-${TRACE.slice(1)}-${SPAN}-01`],
  ["with a short span id", `00-${TRACE}-${SPAN.slice(1)}-01`],
  ["with letters beyond f", `00-${TRACE.replace("4", "g")}-${SPAN}-01`],
  ["with flags that are not hex", `00-${TRACE}-${SPAN}-0x`],
  ["with a one-digit version", `0-${TRACE}-${SPAN}-01`],
  ["with space around it", ` ${GOOD} `],
  ["with a line break at the end", `${GOOD}\n`],
  ["with a log line smuggled in", `${GOOD}\nERROR paid`],
  ["of HTML", "<img src=x onerror=alert(1)>"],
  ["of 8 KB", "0".repeat(8192)],
])("a traceparent %s is malformed", (_what, traceparent) => {
  expect(faultOf({ traceparent })).toBe("traceparent is malformed");
});

test("version ff is forbidden", () => {
  expect(faultOf({ traceparent: `ff-${TRACE}-${SPAN}-01` })).toMatch(/forbidden version ff/);
});

test("version 00 has nothing after its flags, a later version may", () => {
  expect(faultOf({ traceparent: `${GOOD}-extra` })).toMatch(/too long/);
  expect(carried({ traceparent: `01-${TRACE}-${SPAN}-01-extra` }).traceId).toBe(TRACE);
  expect(carried({ traceparent: `fe-${TRACE}-${SPAN}-01` }).spanId).toBe(SPAN);
  expect(faultOf({ traceparent: `01-${TRACE}-${SPAN}-01extra` })).toBe("traceparent is malformed");
});

test("ids of zeros are invalid", () => {
  expect(faultOf({ traceparent: `00-${"0".repeat(32)}-${SPAN}-01` })).toMatch(/trace id of zeros/);
  expect(faultOf({ traceparent: `00-${TRACE}-${"0".repeat(16)}-01` })).toMatch(/span id of zeros/);
});

test("undefined flags are not forwarded", () => {
  expect(carried({ traceparent: `00-${TRACE}-${SPAN}-ff` }).traceFlags).toBe(0b11);
  expect(inject({ traceId: TRACE, spanId: SPAN, traceFlags: 0xff }).traceparent).toMatch(/-03$/);
});

test("a tracestate or baggage that is too long is dropped alone, with a reason", () => {
  const tracestate = `a=${"x".repeat(256)},b=${"x".repeat(TRACESTATE_MAX_CHARS - 261)}`;
  expect(tracestate).toHaveLength(TRACESTATE_MAX_CHARS);
  expect(carried({ traceparent: GOOD, tracestate }).traceState?.serialize()).toBe(tracestate);
  expect(lossIn({ traceparent: GOOD, tracestate })).toBeUndefined();

  const tooLong = { traceparent: GOOD, tracestate: `${tracestate}x` };
  expect(carried(tooLong).spanId).toBe(SPAN);
  expect(lossIn(tooLong)).toBe("tracestate is longer than 512 characters");
  const baggage = { traceparent: GOOD, baggage: "b".repeat(BAGGAGE_MAX_CHARS + 1) };
  expect(carried(baggage).spanId).toBe(SPAN);
  expect(lossIn(baggage)).toBe("baggage is longer than 8192 characters");
});

test.each([
  [{ tracestate: ["a=b"] }, "tracestate is a array, not a string"],
  [{ tracestate: "no list at all" }, "tracestate is malformed"],
  [{ baggage: true }, "baggage is a boolean, not a string"],
  [
    { tracestate: 7, baggage: {} },
    "tracestate is a number, not a string; baggage is a object, not a string",
  ],
])("%j is dropped alone, with a reason", (beside, reason) => {
  const carrier = { traceparent: GOOD, ...beside };
  expect(carried(carrier)).toMatchObject({ traceId: TRACE, spanId: SPAN });
  expect(carried(carrier).traceState).toBeUndefined();
  expect(lossIn(carrier)).toBe(reason);
});

test("a reason does not quote the carrier", () => {
  const hostile = "\u001b[31m<script>";
  expect(faultOf({ traceparent: hostile })).not.toContain("script");
  expect(lossIn({ traceparent: GOOD, tracestate: { hostile } })).not.toContain("script");
});

test("an unrecorded carrier is valid, unsampled and different each time", () => {
  const first = injectUnrecorded();
  expect(carried(first).traceFlags).toBe(0);
  expect(injectUnrecorded()).not.toEqual(first);
});
