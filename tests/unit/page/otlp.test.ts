/** Posts to a real endpoint that accepts, is busy, is switched off, or is not there. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OtlpSender, RETRY_MAX_MS } from "../../../frontend/src/throughline/otlp";

interface Answer {
  status: number;
  headers?: Record<string, string>;
}

let server: Server;
let url: string;
/** The answers to the next requests; the last one stays. */
let answers: Answer[];
let received: { headers: IncomingHttpHeaders; body: string }[];

beforeEach(async () => {
  answers = [{ status: 200 }];
  received = [];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    response.writeHead(answer?.status ?? 500, answer?.headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], shouldAdvanceTime: true });
});

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const bytes = (text: string) => new TextEncoder().encode(text);
const sender = (more = {}) => new OtlpSender({ url, timeoutMs: 2_000, ...more });
const busy = (seconds?: number): Answer => ({
  status: 503,
  ...(seconds && { headers: { "retry-after": String(seconds) } }),
});

test("a body is posted as JSON with the target's headers", async () => {
  await sender({ headers: async () => ({ "x-proof": "token" }) }).send(bytes("{}"));
  expect(received).toHaveLength(1);
  expect(received[0]?.body).toBe("{}");
  expect(received[0]?.headers).toMatchObject({
    "content-type": "application/json",
    "x-proof": "token",
  });
});

test("a busy endpoint is tried again once, after the time that it asks for", async () => {
  answers = [busy(7), { status: 200 }];
  const began = Date.now();
  const sent = sender().send(bytes("{}"));
  await vi.waitFor(() => expect(received).toHaveLength(1));
  await vi.advanceTimersByTimeAsync(6_000);
  expect(received).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_500);
  await sent;
  expect(received).toHaveLength(2);
  expect(Date.now() - began).toBeGreaterThanOrEqual(7_000);
});

test("while an endpoint is busy, later posts wait too", async () => {
  answers = [busy(5), { status: 200 }];
  const one = sender();
  const first = one.send(bytes("first"));
  await vi.waitFor(() => expect(received).toHaveLength(1));
  const second = one.send(bytes("second"));
  await vi.advanceTimersByTimeAsync(4_000);
  expect(received).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2_000);
  await Promise.all([first, second]);
  expect(received).toHaveLength(3);
});

test("an endpoint that is busy for long, or still busy, loses the post", async () => {
  answers = [busy(RETRY_MAX_MS / 1000 + 60)];
  const one = sender();
  await expect(one.send(bytes("{}"))).rejects.toThrow("the endpoint is busy");
  await expect(one.send(bytes("{}"))).rejects.toThrow("the endpoint is busy");
  expect(received).toHaveLength(1);

  answers = [busy(1)];
  const lost = expect(sender().send(bytes("{}"))).rejects.toThrow("HTTP 503");
  await vi.waitFor(() => expect(received).toHaveLength(2));
  await vi.advanceTimersByTimeAsync(1_500);
  await lost;
  expect(received).toHaveLength(3);
});

test.each([400, 401, 403, 413, 500])("status %i is not tried again", async (status) => {
  answers = [{ status }];
  await expect(sender().send(bytes("{}"))).rejects.toThrow(`HTTP ${status}`);
  expect(received).toHaveLength(1);
});

test("204 with Retry-After stops the posts for that time, without a loss", async () => {
  answers = [{ status: 204, headers: { "retry-after": "600" } }, { status: 200 }];
  const one = sender();
  await one.send(bytes("1"));
  await one.send(bytes("2"));
  await vi.advanceTimersByTimeAsync(590_000);
  await one.send(bytes("3"));
  expect(received).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(11_000);
  await one.send(bytes("4"));
  expect(received.map(({ body }) => body)).toEqual(["1", "4"]);
});

test("204 alone is a success like any other", async () => {
  answers = [{ status: 204 }];
  const one = sender();
  await one.send(bytes("1"));
  await one.send(bytes("2"));
  expect(received).toHaveLength(2);
});

test("posts that together exceed what a browser keeps alive are sent without it", async () => {
  const keepalive: unknown[] = [];
  const real = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    keepalive.push(init?.keepalive);
    return real(input, init);
  });
  const one = sender();
  const body = new Uint8Array(40_000);
  await Promise.all([one.send(body), one.send(body)]);
  await one.send(body);
  expect(keepalive).toEqual([true, false, true]);
});

test("without an address nothing is sent, and nothing is lost", async () => {
  const posts = vi.spyOn(globalThis, "fetch");
  await sender({ url: "" }).send(bytes("{}"));
  expect(posts).not.toHaveBeenCalled();
});
