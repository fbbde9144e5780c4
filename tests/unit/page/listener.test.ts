import { SpanKind } from "@opentelemetry/api";
import { beforeEach, expect, test } from "vitest";
import { type Arrival, ListenerTrace } from "../../../frontend/src/throughline/listener";
import { recorded } from "./recorded";

const VIEW = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 };
const WRITER = { traceId: "c".repeat(32), spanId: "d".repeat(16) };
const CARRIER = { traceparent: `00-${WRITER.traceId}-${WRITER.spanId}-01` };

let record: ReturnType<typeof recorded>;
let listener: ListenerTrace;

beforeEach(() => {
  record = recorded();
  listener = new ListenerTrace(record.tracer, VIEW);
});

function arrival(change: Partial<Arrival> = {}): Arrival {
  return {
    documentId: "one",
    version: "placed",
    carrier: CARRIER,
    hasPendingWrites: false,
    spanName: "order placed",
    ...change,
  };
}

test("an arrival is a consumer span, child of the write and linked to the page view", () => {
  listener.expect("one");
  const spanContext = listener.arrived(arrival({ attributes: { "boxoffice.order.id": "one" } }));

  const span = record.named("order placed");
  expect(span.spanContext()).toEqual(spanContext);
  expect(span.kind).toBe(SpanKind.CONSUMER);
  expect(span.spanContext().traceId).toBe(WRITER.traceId);
  expect(span.parentSpanContext?.spanId).toBe(WRITER.spanId);
  expect(span.links.map((link) => link.context)).toEqual([VIEW]);
  expect(span.attributes).toMatchObject({
    "throughline.hop": "listener",
    "throughline.carrier": "document-field",
    "throughline.context": "carried",
    "boxoffice.order.id": "one",
  });
});

test("documents from before the page view are not recorded", () => {
  expect(listener.arrived(arrival())).toBeUndefined();
  expect(record.spans()).toHaveLength(0);
});

test("an unconfirmed snapshot is recorded only once the server confirms it", () => {
  listener.expect("one");
  listener.arrived(arrival({ hasPendingWrites: true }));
  expect(record.spans()).toHaveLength(0);
  listener.arrived(arrival());
  expect(record.spans()).toHaveLength(1);
});

test("each version is recorded once, however often it arrives", () => {
  listener.expect("one");
  listener.arrived(arrival());
  listener.expect("one");
  listener.arrived(arrival());
  listener.arrived(arrival({ version: "reserved", spanName: "order reserved" }));
  expect(record.spans().map((span) => span.name)).toEqual(["order placed", "order reserved"]);
});

test("a version that is already on screen is not recorded", () => {
  listener.expect("one", "placed");
  listener.arrived(arrival());
  listener.arrived(arrival({ version: "refunded", spanName: "order refunded" }));
  expect(record.spans().map((span) => span.name)).toEqual(["order refunded"]);
});

test("documents are recorded independently", () => {
  listener.expect("one");
  listener.expect("two");
  listener.arrived(arrival());
  listener.arrived(arrival({ documentId: "two" }));
  expect(record.spans()).toHaveLength(2);
});

test.each([
  [undefined, "absent", undefined],
  [{ traceparent: "nonsense" }, "invalid", "traceparent is malformed"],
])("with the carrier %j the span is a new root with the reason", (carrier, state, reason) => {
  listener.expect("one");
  listener.arrived(arrival({ carrier }));
  const span = record.named("order placed");
  expect(span.parentSpanContext).toBeUndefined();
  expect(span.attributes["throughline.context"]).toBe(state);
  expect(span.attributes["throughline.context.reason"]).toBe(reason);
});
