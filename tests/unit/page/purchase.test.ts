/**
 * A purchase against a real HTTP server that is both the card processor and the OTLP endpoint. Only
 * the order's write is a fake: the rules tier has the real Firestore.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Backend } from "../../../frontend/src/app/buyer/backend";
import { buy } from "../../../frontend/src/app/buyer/purchase/buy";
import type { NewOrder } from "../../../frontend/src/model/order";
import { readSettings } from "../../../frontend/src/settings";
import { startBoxOfficeTracing } from "../../../frontend/src/tracing/index";
import { untraced } from "../../../frontend/src/tracing/tracing";

const ROOT = resolve(import.meta.dirname, "../../..");
const CARD = "4242 4242 4242 4242";
const DIGITS = "4242424242424242";
const TOKEN = "tok_abcdefgh12345678";
const UID = "buyer-uid-7";

let server: Server;
let base: string;
/** Bodies by path, as they arrived. */
let received: { path: string; body: string; headers: IncomingHttpHeaders }[];
let tokenAnswer: { status: number; body: unknown };

beforeEach(async () => {
  received = [];
  tokenAnswer = { status: 201, body: { token: TOKEN, brand: "visa", last4: "4242" } };
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? "";
    const body = Buffer.concat(chunks).toString("utf8");
    received.push({ path, body, headers: request.headers });
    const answer = path === "/tokens" ? tokenAnswer : { status: 200, body: {} };
    response
      .writeHead(answer.status, { "content-type": "application/json" })
      .end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubGlobal("location", { pathname: "/", origin: "http://page.test" });
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

interface OtlpSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  status: { code?: number };
  links?: { traceId: string; spanId: string }[];
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}

const bodiesTo = (path: string) =>
  received.filter((one) => one.path === path).map((one) => one.body);

function exportedSpans(): OtlpSpan[] {
  return bodiesTo("/v1/traces").flatMap((body) =>
    JSON.parse(body).resourceSpans.flatMap((resource: { scopeSpans: { spans: OtlpSpan[] }[] }) =>
      resource.scopeSpans.flatMap((scope) => scope.spans),
    ),
  );
}

/** The spans so far, once `name` is among them. */
async function spansOnce(name: string): Promise<Record<string, OtlpSpan>> {
  await vi.waitFor(() => expect(exportedSpans().map((span) => span.name)).toContain(name), 5_000);
  return Object.fromEntries(exportedSpans().map((span) => [span.name, span]));
}

function backend(write: (order: NewOrder) => Promise<void>): Backend {
  return {
    newOrderId: () => "order000000000000001",
    createOrder: (_id: string, _uid: string, order: NewOrder) => write(order),
  } as unknown as Backend;
}

const purchase = { uid: UID, showId: "night-ferry", seats: 2, cardNumber: CARD };
const tracing = (otlpEndpoint = base) =>
  startBoxOfficeTracing({ ...readSettings({}), otlpEndpoint });

test("one purchase is one trace, and the order carries the write's own context", async () => {
  let written: NewOrder | undefined;
  const started = buy(
    purchase,
    backend(async (order) => {
      written = order;
    }),
    tracing(),
    base,
  );
  await started.placed;
  const spans = await spansOnce("buy");

  const { buy: root, "POST /tokens": tokens, "create orders": create } = spans;
  expect(root?.traceId).toBe(started.traceId);
  expect(root?.parentSpanId ?? "").toBe("");
  expect([tokens?.parentSpanId, create?.parentSpanId]).toEqual([root?.spanId, root?.spanId]);
  expect(written).toEqual({
    showId: "night-ferry",
    seats: 2,
    cardToken: TOKEN,
    carrier: {
      traceparent: `00-${create?.traceId}-${create?.spanId}-01`,
      baggage: "order.id=order000000000000001,show.id=night-ferry",
    },
  });
});

test("a purchase links to the quote that the buyer saw, and says what that was", async () => {
  const quoted = { traceId: "a".repeat(32), spanId: "b".repeat(16) };
  const quote = {
    showId: "night-ferry",
    seats: 2,
    amountCents: 6400,
    currency: "EUR",
    seatsLeft: 180,
    available: true,
    carrier: { traceparent: `00-${quoted.traceId}-${quoted.spanId}-01` },
  };
  const write = backend(async () => {});
  await buy({ ...purchase, quote }, write, tracing(), base).placed;
  const { buy: root } = await spansOnce("buy");
  expect(root?.links).toContainEqual(expect.objectContaining(quoted));
  const facts = Object.fromEntries(root?.attributes.map(({ key, value }) => [key, value]) ?? []);
  expect(facts).toMatchObject({
    "boxoffice.order.seats": { intValue: 2 },
    "boxoffice.quote.amount_cents": { intValue: 6400 },
    "boxoffice.quote.currency": { stringValue: "EUR" },
    "boxoffice.quote.seats_left": { intValue: 180 },
  });
});

test("each span has the source line that started it", async () => {
  const view = tracing();
  const started = buy(
    purchase,
    backend(async () => {}),
    view,
    base,
  );
  await started.placed;
  view.pageReady();
  const spans = await spansOnce("page view");
  const lines = ["page view", "buy", "POST /tokens", "create orders"].map((name) => {
    const recorded = (key: string) => spans[name]?.attributes.find((one) => one.key === key)?.value;
    const file = recorded("code.file.path")?.stringValue ?? "";
    const line = recorded("code.line.number")?.intValue ?? 0;
    return [file, readFileSync(resolve(ROOT, file), "utf8").split("\n")[line - 1]?.trim()];
  });
  expect(lines).toEqual([
    [
      "frontend/src/tracing/index.ts",
      'attributes: { ...ROOT, "url.path": pathOf(location.pathname), ...at(__SOURCE_LINE__) },',
    ],
    ["frontend/src/app/buyer/purchase/buy.ts", "line: __SOURCE_LINE__,"],
    ["frontend/src/app/buyer/purchase/buy.ts", '{ method: "POST", url, line: __SOURCE_LINE__ },'],
    [
      "frontend/src/app/buyer/purchase/buy.ts",
      'await trace.create({ collection: "orders", line: __SOURCE_LINE__ }, (carrier) =>',
    ],
  ]);
});

test("neither the card, its token nor the buyer's id is in any span or log record", async () => {
  await buy(
    purchase,
    backend(async () => {}),
    tracing(),
    base,
  ).placed;
  await spansOnce("buy");
  await vi.waitFor(() => expect(bodiesTo("/v1/logs")).not.toHaveLength(0), 5_000);
  const telemetry = received.filter((one) => one.path.startsWith("/v1/")).map((one) => one.body);
  for (const secret of [DIGITS, CARD, TOKEN, UID]) expect(telemetry.join()).not.toContain(secret);
  expect(bodiesTo("/tokens")).toEqual([JSON.stringify({ number: DIGITS })]);
});

test("the card processor, a third party, gets no trace headers", async () => {
  await buy(
    purchase,
    backend(async () => {}),
    tracing(),
    base,
  ).placed;
  const headers = received.find((one) => one.path === "/tokens")?.headers ?? {};
  for (const name of ["traceparent", "tracestate", "baggage", "x-throughline-context"]) {
    expect(headers).not.toHaveProperty(name);
  }
});

test("log records have the ids of their trace and span", async () => {
  const started = buy(
    purchase,
    backend(async () => {}),
    tracing(),
    base,
  );
  await started.placed;
  const root = (await spansOnce("buy")).buy;
  await vi.waitFor(() => expect(bodiesTo("/v1/logs")).not.toHaveLength(0), 5_000);
  const record = JSON.parse(bodiesTo("/v1/logs")[0] ?? "").resourceLogs[0].scopeLogs[0]
    .logRecords[0];
  expect([record.traceId, record.spanId]).toEqual([root?.traceId, root?.spanId]);
});

test("a number that the processor refuses fails the purchase and is not quoted", async () => {
  tokenAnswer = { status: 422, body: { error: { code: "invalid_number", message: DIGITS } } };
  const write = vi.fn(async () => {});
  const started = buy(purchase, backend(write), tracing(), base);
  await expect(started.placed).rejects.toMatchObject({ code: "invalid-card-number" });
  const spans = await spansOnce("buy");
  expect(write).not.toHaveBeenCalled();
  expect([spans.buy?.status.code, spans["POST /tokens"]?.status.code]).toEqual([2, 2]);
  expect(bodiesTo("/v1/traces").join()).not.toContain(DIGITS);
});

test("an unreachable processor and a failing one have different codes", async () => {
  const dead = buy(
    purchase,
    backend(async () => {}),
    untraced,
    "http://127.0.0.1:1",
  );
  await expect(dead.placed).rejects.toMatchObject({ code: "processor-unreachable" });
  tokenAnswer = { status: 500, body: "oops" };
  const failing = buy(
    purchase,
    backend(async () => {}),
    untraced,
    base,
  );
  await expect(failing.placed).rejects.toMatchObject({ code: "processor-failed" });
});

test("an untraced purchase still carries a context that the rules accept", async () => {
  let written: NewOrder | undefined;
  const started = buy(
    purchase,
    backend(async (order) => {
      written = order;
    }),
    untraced,
    base,
  );
  await started.placed;
  expect(written?.carrier.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  expect(written?.carrier.traceparent).toContain(started.traceId);
});

test("an unreachable Observatory does not delay the buyer", async () => {
  const began = performance.now();
  const traced = tracing("http://127.0.0.1:1");
  await buy(
    purchase,
    backend(async () => {}),
    traced,
    base,
  ).placed;
  expect(performance.now() - began).toBeLessThan(1_000);
});
