import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { expect, test } from "vitest";
import type { TraceCarrier } from "../../../frontend/src/throughline/carrier";
import { writeWithTrace } from "../../../frontend/src/throughline/document";
import { childOf } from "../../../frontend/src/throughline/span";
import { recorded } from "./recorded";

const WRITE = { collection: "orders", operation: "create" } as const;

test("a write carries the context of its producer span, a child of the given parent", async () => {
  const { tracer, named } = recorded();
  const buy = tracer.startSpan("buy", {}, childOf(undefined));
  let stored: TraceCarrier | undefined;
  const result = await writeWithTrace(tracer, buy, WRITE, async (carrier) => {
    stored = carrier;
    return "written";
  });

  const span = named("create orders");
  const { traceId, spanId } = span.spanContext();
  expect(result).toBe("written");
  expect(stored).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });
  expect(traceId).toBe(buy.spanContext().traceId);
  expect(span.parentSpanContext?.spanId).toBe(buy.spanContext().spanId);
  expect(span.kind).toBe(SpanKind.PRODUCER);
  expect(span.attributes).toMatchObject({
    "throughline.hop": "document",
    "throughline.carrier": "document-field",
    "throughline.context": "carried",
    "db.system.name": "gcp.firestore",
    "db.collection.name": "orders",
    "db.operation.name": "create",
  });
});

test("baggage is stored beside the context", async () => {
  const { tracer } = recorded();
  const buy = tracer.startSpan("buy", {}, childOf(undefined));
  const stored = await writeWithTrace(
    tracer,
    buy,
    { ...WRITE, baggage: "order.id=7Q2F" },
    async (carrier) => carrier,
  );
  expect(stored.baggage).toBe("order.id=7Q2F");
});

test("the span lasts until the server has answered", async () => {
  const { tracer, spans } = recorded();
  const buy = tracer.startSpan("buy", {}, childOf(undefined));
  let answer: () => void = () => {};
  const writing = writeWithTrace(
    tracer,
    buy,
    WRITE,
    () => new Promise<void>((resolve) => (answer = resolve)),
  );
  expect(spans()).toHaveLength(0);
  answer();
  await writing;
  expect(spans()).toHaveLength(1);
});

test("a refused write is an error on the span, and reaches the caller", async () => {
  const { tracer, named } = recorded();
  const buy = tracer.startSpan("buy", {}, childOf(undefined));
  const refusal = Object.assign(new Error("Missing or insufficient permissions."), {
    code: "permission-denied",
  });
  await expect(writeWithTrace(tracer, buy, WRITE, () => Promise.reject(refusal))).rejects.toBe(
    refusal,
  );

  const span = named("create orders");
  expect(span.status.code).toBe(SpanStatusCode.ERROR);
  expect(span.attributes["error.type"]).toBe("permission-denied");
  expect(span.events.map((event) => event.name)).toEqual(["exception"]);
});
