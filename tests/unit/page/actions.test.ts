/**
 * The page's requests to the functions, sent to a real HTTP server that stands in for the functions,
 * Hosting and the OTLP endpoint.
 */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { commit } from "../../../frontend/commit";
import { requestQuote } from "../../../frontend/src/app/buyer/purchase/requestQuote";
import { requestSeatsLeft } from "../../../frontend/src/app/buyer/shows/requestSeatsLeft";
import { createShow } from "../../../frontend/src/app/organiser/createShow";
import { refund } from "../../../frontend/src/app/organiser/refund";
import type { NewShow } from "../../../frontend/src/model/newShow";
import type { Order } from "../../../frontend/src/model/order";
import { readQuote } from "../../../frontend/src/model/quote";
import { readSettings } from "../../../frontend/src/settings";
import { call } from "../../../frontend/src/throughline/callable";
import type { TraceCarrier } from "../../../frontend/src/throughline/carrier";
import type { Sending } from "../../../frontend/src/throughline/http";
import { startBoxOfficeTracing } from "../../../frontend/src/tracing/index";
import { proveTelemetry } from "../../../frontend/src/tracing/proof";
import { untraced } from "../../../frontend/src/tracing/tracing";

interface ReceivedRequest {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

let server: Server;
let base: string;
let received: ReceivedRequest[];
let answers: Record<string, { status: number; body: unknown }>;

beforeEach(async () => {
  received = [];
  answers = {};
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? "";
    received.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
    const { status, body } = answers[path] ?? { status: 200, body: {} };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubGlobal("location", { pathname: "/", origin: base });
  for (const method of ["info", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation(() => {});
  }
});

afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const traced = () =>
  startBoxOfficeTracing({
    ...readSettings({}),
    otlpEndpoint: base,
    functionsUrl: `${base}/demo/us-central1`,
  });

/** The page's client of the functions, without the sign-in. */
const functions = {
  functionUrl: (name: string) => `${base}/demo/us-central1/${name}`,
  callFunction: (name: string, data: unknown, { headers, answered }: Sending, timeoutMs: number) =>
    call(functions.functionUrl(name), data, { headers, answered, timeoutMs }),
};

interface OtlpSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  status: { code?: number };
  links?: { traceId: string; spanId: string }[];
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}

const attribute = (span: OtlpSpan | undefined, key: string) => {
  const value = span?.attributes.find((one) => one.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
};

async function spansOnce(name: string): Promise<OtlpSpan[]> {
  const spans = () =>
    received
      .filter((one) => one.path === "/v1/traces")
      .flatMap((one) => JSON.parse(one.body).resourceSpans)
      .flatMap((resource) => resource.scopeSpans)
      .flatMap((scope) => scope.spans as OtlpSpan[]);
  await vi.waitFor(() => expect(spans().map((span) => span.name)).toContain(name), 5_000);
  return spans();
}

const to = (path: string) => received.find((one) => one.path === path);

const QUOTED = {
  show_id: "night-ferry",
  seats: 2,
  price_cents: 3200,
  amount_cents: 6400,
  currency: "EUR",
  seats_left: 180,
  available: true,
};

test("a quote is a root span with the call as its child and the context in the headers", async () => {
  answers["/demo/us-central1/quote"] = { status: 200, body: { result: QUOTED } };
  const quote = await requestQuote("night-ferry", 2, functions, traced());
  const spans = await spansOnce("quote");
  const root = spans.find((span) => span.name === "quote");
  expect(quote).toEqual({
    showId: "night-ferry",
    seats: 2,
    amountCents: 6400,
    currency: "EUR",
    seatsLeft: 180,
    available: true,
    carrier: { traceparent: `00-${root?.traceId}-${root?.spanId}-01` },
  });
  const request = spans.find((span) => span.name === "POST /quote");
  expect(attribute(root, "throughline.root")).toBe("page");
  expect(root?.parentSpanId ?? "").toBe("");
  expect(request?.parentSpanId).toBe(root?.spanId);
  expect(attribute(request, "faas.invoked_name")).toBe("quote");
  expect(attribute(request, "faas.invoked_region")).toBe("us-central1");
  const traceparent = `00-${request?.traceId}-${request?.spanId}-01`;
  expect(to("/demo/us-central1/quote")?.headers).toMatchObject({
    traceparent,
    "x-throughline-context": traceparent,
    baggage: "show.id=night-ferry",
  });
});

test("a refused quote has the function's error code, on its span too", async () => {
  answers["/demo/us-central1/quote"] = {
    status: 404,
    body: { error: { status: "NOT_FOUND", message: "No show." } },
  };
  await expect(requestQuote("gone", 2, functions, traced())).rejects.toMatchObject({
    code: "not-found",
  });
  const request = (await spansOnce("quote")).find((span) => span.name === "POST /quote");
  expect(request?.status.code).toBe(2);
  expect(attribute(request, "error.type")).toBe("not-found");
  expect(attribute(request, "http.response.status_code")).toBe(404);
});

test("a malformed quote is refused with the name of the invalid field", () => {
  expect(() => readQuote(null)).toThrow("no show_id");
  expect(() => readQuote({ ...QUOTED, amount_cents: "6400" })).toThrow("invalid amount_cents");
});

test("seats left are requested through Hosting, all shows in one trace", async () => {
  for (const [id, left] of [
    ["a", 3],
    ["b", 0],
  ]) {
    answers[`/api/availability?show_id=${id}`] = {
      status: 200,
      body: { show_id: id, seats_left: left },
    };
  }
  answers["/api/availability?show_id=gone"] = { status: 404, body: { error: "no" } };
  const { seats } = await requestSeatsLeft(["a", "gone", "b"], base, traced());
  expect([...seats]).toEqual([
    ["a", 3],
    ["b", 0],
  ]);
  const spans = await spansOnce("look up seats");
  const root = spans.find((span) => span.name === "look up seats");
  const requests = spans.filter((span) => span.name === "GET /api/availability");
  expect(requests.map((span) => span.parentSpanId)).toEqual(Array(3).fill(root?.spanId));
  expect(to("/api/availability?show_id=a")?.headers.traceparent).toContain(root?.traceId);
});

test("a request without any answer is an error", async () => {
  answers["/api/availability?show_id=a"] = { status: 200, body: { seats_left: "many" } };
  await expect(requestSeatsLeft(["a"], base, untraced)).rejects.toThrow(
    "without a number of seats",
  );
});

const ORDER_TRACE = { traceId: "c".repeat(32), spanId: "d".repeat(16) };
const ORDER = {
  id: "order000000000000001",
  showId: "night-ferry",
  state: "ticketed",
  seats: 2,
  amountCents: 6400,
  currency: "EUR",
  reason: "Anna Schmidt, not a code",
  carrier: { traceparent: `00-${ORDER_TRACE.traceId}-${ORDER_TRACE.spanId}-01` },
} as Order;

test("a refund is a root span that links to the order's trace", async () => {
  answers["/demo/us-central1/refund"] = {
    status: 200,
    body: { result: { order_id: ORDER.id, state: "refunded" } },
  };
  const tracing = traced();
  const started = refund(ORDER, functions, tracing);
  await started.refunded;
  const root = (await spansOnce("refund")).find((span) => span.name === "refund");
  expect(root?.traceId).toBe(started.traceId);
  expect(root?.traceId).not.toBe(ORDER_TRACE.traceId);
  expect(attribute(root, "throughline.root")).toBe("page");
  expect(root?.links).toContainEqual(expect.objectContaining(ORDER_TRACE));
  expect(JSON.parse(to("/demo/us-central1/refund")?.body ?? "")).toEqual({
    data: { order_id: ORDER.id },
  });
  expect(to("/demo/us-central1/refund")?.headers.baggage).toBe(
    `order.id=${ORDER.id},show.id=night-ferry`,
  );

  // What the organiser sees next is recorded; what was on screen before the click is not.
  const snapshot = { ...ORDER, hasPendingWrites: false };
  tracing.orderArrived(snapshot, "a.ts:1");
  tracing.orderArrived({ ...snapshot, state: "refunded" }, "a.ts:1");
  const spans = await spansOnce("order refunded");
  expect(spans.map((span) => span.name)).not.toContain("order ticketed");
  const shown = spans.find((span) => span.name === "order refunded");
  expect(attribute(shown, "boxoffice.outcome")).toBe("shown");
  expect(attribute(shown, "boxoffice.order.seats")).toBe(2);
  expect(attribute(shown, "boxoffice.order.amount_cents")).toBe(6400);
  expect(attribute(shown, "boxoffice.order.currency")).toBe("EUR");
  expect(attribute(shown, "boxoffice.order.reason")).toBeUndefined();
});

test("an answer that leaves the order unchanged is an error", async () => {
  answers["/demo/us-central1/refund"] = { status: 200, body: { result: { state: "ticketed" } } };
  await expect(refund(ORDER, functions, untraced).refunded).rejects.toThrow("not refunded");
});

test("a new show carries the context of its own write", async () => {
  let stored: TraceCarrier | undefined;
  const started = createShow(
    { title: "A" } as NewShow,
    7,
    {
      newShowId: () => "a-123456",
      createShow: async (_id, _show, _rank, carrier) => {
        stored = carrier;
      },
    },
    traced(),
  );
  await started.created;
  const spans = await spansOnce("create show");
  const write = spans.find((span) => span.name === "create shows");
  expect(write?.parentSpanId).toBe(spans.find((span) => span.name === "create show")?.spanId);
  expect(stored).toEqual({
    traceparent: `00-${write?.traceId}-${write?.spanId}-01`,
    baggage: "show.id=a-123456",
  });
});

test("a live query is a child span of the page view with its text, and the reason of a refusal", async () => {
  const tracing = traced();
  const began = Date.now() - 40;
  const listQuery = { line: "a.ts:1", collection: "shows", text: "shows order by rank asc" };
  tracing.listened({ ...listQuery, limit: 50, began, rows: 7 });
  tracing.listened({
    line: "a.ts:1",
    collection: "orders",
    text: "orders where uid == ?",
    began,
    error: Object.assign(new Error("no"), { code: "permission-denied" }),
  });
  tracing.pageReady();
  const spans = await spansOnce("listen orders");
  const view = spans.find((span) => span.name === "page view");
  const shows = spans.find((span) => span.name === "listen shows");
  const orders = spans.find((span) => span.name === "listen orders");
  expect(shows?.parentSpanId).toBe(view?.spanId);
  expect(attribute(shows, "db.query.text")).toBe("shows order by rank asc");
  expect(attribute(shows, "db.collection.name")).toBe("shows");
  expect(attribute(shows, "db.query.parameter.limit")).toBe("50");
  expect(attribute(shows, "db.response.returned_rows")).toBe(7);
  expect(attribute(shows, "error.type")).toBeUndefined();
  expect(attribute(orders, "error.type")).toBe("permission-denied");
  expect(attribute(orders, "db.response.returned_rows")).toBeUndefined();
});

test("what leaves a live query's result is a span with the ids, and how many stayed", async () => {
  const tracing = traced();
  const ids = Array.from({ length: 12 }, (_, index) => `order${index}`);
  const listQuery = { line: "a.ts:1", collection: "orders", text: "orders limit ?", limit: 50 };
  tracing.left({ ...listQuery, ids: ["anna@example.org", ...ids], rows: 50 });
  const left = (await spansOnce("leave orders")).find((span) => span.name === "leave orders");
  expect(attribute(left, "db.response.returned_rows")).toBe(50);
  expect(attribute(left, "throughline.listener.removed")).toBe(13);
  const named = left?.attributes.find((one) => one.key === "throughline.listener.removed_ids");
  expect(named?.value).toEqual({
    arrayValue: { values: ids.slice(0, 10).map((stringValue) => ({ stringValue })) },
  });
});

test("the build's version is on the resource of every span", async () => {
  const tracing = startBoxOfficeTracing(
    { ...readSettings({}), otlpEndpoint: base },
    "v1-3-g6b9f8c3",
  );
  tracing.pageReady();
  await spansOnce("page view");
  const [resource] = JSON.parse(to("/v1/traces")?.body ?? "").resourceSpans;
  expect(resource.resource.attributes).toContainEqual({
    key: "service.version",
    value: { stringValue: "v1-3-g6b9f8c3" },
  });
});

test("outside a Git repository the build has no version, and inside it has its commit's", () => {
  expect(commit()).toMatch(/[0-9a-f]{7}/);
  expect(commit(tmpdir())).toBe("");
});

test.each<[string, string | undefined, () => string]>([
  ["the page's own origin", "token", () => base],
  ["another origin", undefined, () => "https://site.example"],
])("telemetry to %s is sent with this App Check token: %s", async (_, token, origin) => {
  vi.stubGlobal("location", { pathname: "/", origin: origin() });
  proveTelemetry(async () => ({ "x-firebase-appcheck": "token" }));
  startBoxOfficeTracing({
    ...readSettings({}),
    otlpEndpoint: `${base}/telemetry`,
    functionsUrl: base,
    appCheckKey: "key",
  }).pageReady();
  await vi.waitFor(() => expect(to("/telemetry/v1/traces")).toBeDefined(), 5_000);
  expect(to("/telemetry/v1/traces")?.headers["x-firebase-appcheck"]).toBe(token);
});
