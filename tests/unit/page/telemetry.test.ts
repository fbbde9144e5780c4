/** Telemetry, sent to a real OTLP endpoint or to one that does not answer. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { extract, inject } from "../../../frontend/src/throughline/carrier";
import { createLog } from "../../../frontend/src/throughline/log";
import { childOf } from "../../../frontend/src/throughline/span";
import { startTelemetry } from "../../../frontend/src/throughline/telemetry";

// Nothing listens on port 1.
const DEAD = "http://127.0.0.1:1";
const DEADLINE = { timeout: 8_000 };

let server: Server;
let base: string;
let received: { path: string; body: string }[];

beforeEach(async () => {
  received = [];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ path: request.url ?? "", body: Buffer.concat(chunks).toString("utf8") });
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const span = (telemetry: ReturnType<typeof startTelemetry>, name: string) =>
  telemetry.tracer.startSpan(name, {}, childOf(undefined));

test("spans and logs arrive under the service's name, without an explicit flush", async () => {
  const telemetry = startTelemetry({ serviceName: "page", otlpEndpoint: `${base}/` });
  const work = span(telemetry, "work");
  const sink = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  createLog(telemetry.logs, sink)("info", "done", work.spanContext(), { answer: 42 });
  work.end();

  await vi.waitFor(() => expect(received).toHaveLength(2), DEADLINE);
  const bodyOf = (path: string) =>
    JSON.parse(received.find((one) => one.path === path)?.body ?? "null");
  const spans = bodyOf("/v1/traces").resourceSpans[0];
  expect(spans.resource.attributes).toContainEqual({
    key: "service.name",
    value: { stringValue: "page" },
  });
  expect(spans.scopeSpans[0].spans[0].name).toBe("work");
  const { traceId, spanId } = work.spanContext();
  expect(bodyOf("/v1/logs").resourceLogs[0].scopeLogs[0].logRecords[0]).toMatchObject({
    body: { stringValue: "done" },
    severityText: "INFO",
    traceId,
    spanId,
  });
  expect(sink.info).toHaveBeenCalledWith("done", {
    trace_id: traceId,
    span_id: spanId,
    answer: 42,
  });
  expect(telemetry.dropped()).toBe(0);
});

test("undelivered telemetry is counted and logged once", async () => {
  const telemetry = startTelemetry({ serviceName: "page", otlpEndpoint: DEAD });
  span(telemetry, "one").end();
  span(telemetry, "two").end();
  await telemetry.flush();
  await vi.waitFor(() => expect(telemetry.dropped()).toBe(2), DEADLINE);
  span(telemetry, "three").end();
  await telemetry.flush();
  await vi.waitFor(() => expect(telemetry.dropped()).toBe(3), DEADLINE);
  expect(vi.mocked(console.warn).mock.calls.map(([text]) => String(text))).toEqual([
    expect.stringContaining(`Telemetry cannot be delivered to ${DEAD}`),
  ]);
}, 20_000);

test("a page that is closed ends its open spans and sends them", async () => {
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", page);
  const telemetry = startTelemetry({ serviceName: "page", otlpEndpoint: base });
  const open = span(telemetry, "open");
  span(telemetry, "ended").end();
  page.dispatchEvent(new Event("pagehide"));

  expect(open.isRecording()).toBe(false);
  await vi.waitFor(() => expect(received).toHaveLength(1), DEADLINE);
  const [{ scopeSpans }] = JSON.parse(received[0]?.body ?? "").resourceSpans;
  const abandoned = Object.fromEntries(
    scopeSpans[0].spans.map((one: { name: string; attributes: { key: string }[] }) => [
      one.name,
      one.attributes.some(({ key }) => key === "throughline.abandoned"),
    ]),
  );
  expect(abandoned).toEqual({ open: true, ended: false });
});

test("a hidden page sends ended spans and keeps the others open", async () => {
  const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", page);
  const telemetry = startTelemetry({ serviceName: "page", otlpEndpoint: base });
  const open = span(telemetry, "open");
  span(telemetry, "ended").end();
  page.dispatchEvent(new Event("visibilitychange"));
  await vi.waitFor(() => expect(received).toHaveLength(1), DEADLINE);
  expect(received[0]?.body).toContain("ended");
  expect(open.isRecording()).toBe(true);
});

test("traces are recorded by the ratio, each as a whole", async () => {
  const none = startTelemetry({ serviceName: "page", otlpEndpoint: base, sampleRatio: 0 });
  const root = span(none, "root");
  const child = none.tracer.startSpan("child", {}, childOf(root.spanContext()));
  expect([root, child].map((one) => one.isRecording())).toEqual([false, false]);
  // The functions see the flag, and so record nothing of it either.
  expect(inject(child.spanContext()).traceparent).toMatch(/-00$/);
  expect(child.spanContext().traceId).toBe(root.spanContext().traceId);

  const half = startTelemetry({ serviceName: "page", otlpEndpoint: base, sampleRatio: 0.5 });
  const roots = Array.from({ length: 200 }, () => span(half, "root"));
  const recording = roots.filter((one) => one.isRecording());
  expect(recording.length).toBeGreaterThan(50);
  expect(recording.length).toBeLessThan(150);
  for (const one of roots) {
    const below = half.tracer.startSpan("below", {}, childOf(one.spanContext()));
    expect(below.isRecording()).toBe(one.isRecording());
  }
});

test("a trace that began elsewhere follows its own flag", () => {
  const none = startTelemetry({ serviceName: "page", otlpEndpoint: base, sampleRatio: 0 });
  const all = startTelemetry({ serviceName: "page", otlpEndpoint: base });
  for (const [flag, isRecording] of [
    ["01", true],
    ["00", false],
  ] as const) {
    const read = extract({ traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-${flag}` });
    const parent = childOf(read.state === "carried" ? read.spanContext : undefined);
    for (const { tracer } of [none, all]) {
      expect(tracer.startSpan("arrived", {}, parent).isRecording()).toBe(isRecording);
    }
  }
});

test("an endpoint that is switched off is left alone, and nothing counts as lost", async () => {
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    received.push({ path: request.url ?? "", body: "" });
    request.resume();
    response.writeHead(204, { "retry-after": "600" }).end();
  });
  const telemetry = startTelemetry({ serviceName: "page", otlpEndpoint: base });
  for (const name of ["one", "two"]) {
    const work = span(telemetry, name);
    telemetry.logs.post("info", name, work.spanContext(), {});
    work.end();
    await telemetry.flush();
  }
  expect(received.map(({ path }) => path).sort()).toEqual(["/v1/logs", "/v1/traces"]);
  expect(telemetry.dropped()).toBe(0);
  expect(console.warn).not.toHaveBeenCalled();
});

test("without an endpoint the page sends nothing", async () => {
  const posts = vi.spyOn(globalThis, "fetch");
  const telemetry = startTelemetry({ serviceName: "page", otlpEndpoint: "" });
  const work = span(telemetry, "work");
  telemetry.logs.post("info", "done", work.spanContext(), {});
  work.end();
  await telemetry.flush();
  expect(posts).not.toHaveBeenCalled();
  expect(telemetry.dropped()).toBe(0);
});
