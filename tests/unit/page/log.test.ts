/** Log records, sent to a real OTLP endpoint or to one that does not answer. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLog, LogPoster } from "../../../frontend/src/throughline/log";

const SPAN = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 };

let server: Server;
let url: string;
let status: number;
let bodies: string[];
const silent = { info: () => {}, warn: () => {}, error: () => {} };
const lost = vi.fn();

beforeEach(async () => {
  status = 200;
  bodies = [];
  lost.mockReset();
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(Buffer.concat(chunks).toString("utf8"));
    response.writeHead(status).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const poster = (delayMs = 20) =>
  new LogPoster({ url, resource: { "service.name": "page" }, delayMs, timeoutMs: 2_000, lost });

test("a record is OTLP/JSON with its span's ids, typed values and the resource", async () => {
  const before = Date.now();
  createLog(poster(), silent)("error", "It failed", SPAN, {
    text: 'a"b\n<c>',
    whole: 3,
    half: 0.5,
    yes: true,
    list: ["a", "b"],
    none: undefined,
  });
  await vi.waitFor(() => expect(bodies).toHaveLength(1));
  const [{ resource, scopeLogs }] = JSON.parse(bodies[0] ?? "").resourceLogs;
  expect(resource.attributes).toEqual([{ key: "service.name", value: { stringValue: "page" } }]);
  const [record] = scopeLogs[0].logRecords;
  expect(record).toMatchObject({
    severityNumber: 17,
    severityText: "ERROR",
    body: { stringValue: "It failed" },
    traceId: SPAN.traceId,
    spanId: SPAN.spanId,
    flags: 1,
  });
  expect(record.attributes).toEqual([
    { key: "text", value: { stringValue: 'a"b\n<c>' } },
    { key: "whole", value: { intValue: 3 } },
    { key: "half", value: { doubleValue: 0.5 } },
    { key: "yes", value: { boolValue: true } },
    { key: "list", value: { stringValue: "a,b" } },
  ]);
  expect(record.timeUnixNano).toMatch(/^\d{19}$/);
  expect(Number(record.timeUnixNano.slice(0, -6))).toBeGreaterThanOrEqual(before);
});

test("a record without a span has no ids", async () => {
  createLog(poster(), silent)("info", "Hello");
  await vi.waitFor(() => expect(bodies).toHaveLength(1));
  expect(bodies[0]).not.toMatch(/traceId|spanId/);
});

test("records of one moment are sent together, later ones separately", async () => {
  const log = createLog(poster(), silent);
  log("info", "one");
  log("info", "two");
  await vi.waitFor(() => expect(bodies).toHaveLength(1));
  log("info", "three");
  await vi.waitFor(() => expect(bodies).toHaveLength(2));
  const counts = bodies.map(
    (body) => JSON.parse(body).resourceLogs[0].scopeLogs[0].logRecords.length,
  );
  expect(counts).toEqual([2, 1]);
});

test("a flush sends at once and sends nothing twice", async () => {
  const slow = poster(60_000);
  createLog(slow, silent)("info", "one");
  await Promise.all([slow.flush(), slow.flush()]);
  expect(bodies).toHaveLength(1);
  await slow.flush();
  expect(bodies).toHaveLength(1);
});

test("undelivered records are counted, and nothing throws", async () => {
  const failing = poster(60_000);
  const log = createLog(failing, silent);
  status = 503;
  log("info", "one");
  log("info", "two");
  await failing.flush();
  expect(lost).toHaveBeenLastCalledWith(2, expect.objectContaining({ message: "HTTP 503" }));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  log("info", "three");
  await failing.flush();
  expect(lost).toHaveBeenLastCalledWith(1, expect.any(Error));
});

test("later records wait for the batch that is being sent, and a flush does not", async () => {
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  server.prependListener("request", (_request, response) => {
    const end = response.end.bind(response) as (...body: unknown[]) => typeof response;
    response.end = (...body: unknown[]) => {
      void answered.then(() => end(...body));
      return response;
    };
  });
  const slow = poster(1);
  const log = createLog(slow, silent);
  log("info", "one");
  await vi.waitFor(() => expect(bodies).toHaveLength(1));
  log("info", "two");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(bodies).toHaveLength(1);
  const flushed = slow.flush();
  await vi.waitFor(() => expect(bodies).toHaveLength(2));
  log("info", "three");
  answer();
  await flushed;
  await vi.waitFor(() => expect(bodies).toHaveLength(3));
});

test("records beyond what is kept for a slow endpoint are counted as lost", () => {
  const log = createLog(poster(60_000), silent);
  for (let n = 0; n < 2050; n++) log("info", "many");
  expect(lost).toHaveBeenCalledTimes(2);
});
