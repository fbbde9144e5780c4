/** The callable protocol against a real HTTP server that answers as Firebase's functions do. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type CallOptions, call } from "../../../frontend/src/throughline/callable";

let server: Server;
let url: string;
let answer: { status: number; body: string } | "never";
let requests: { request: IncomingMessage; body: string }[];

beforeEach(async () => {
  answer = { status: 200, body: '{"result":{"fine":true}}' };
  requests = [];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    requests.push({ request, body: Buffer.concat(chunks).toString("utf8") });
    if (answer === "never") return;
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/project/region/quote`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const ask = (options: Partial<CallOptions> = {}) =>
  call(url, { seats: 2 }, { timeoutMs: 5_000, ...options });

const failure = (status: number, body: unknown) => {
  answer = { status, body: typeof body === "string" ? body : JSON.stringify(body) };
  return ask().catch((error: unknown) => error);
};

test("data and result are sent as the protocol defines", async () => {
  expect(await ask()).toEqual({ fine: true });
  const [{ request, body }] = requests as [(typeof requests)[0]];
  expect([request.method, request.url]).toEqual(["POST", "/project/region/quote"]);
  expect(JSON.parse(body)).toEqual({ data: { seats: 2 } });
  expect(request.headers["content-type"]).toBe("application/json");
  expect(request.headers).not.toHaveProperty("authorization");
});

test("the caller's token and headers are sent", async () => {
  const answered = vi.fn();
  await ask({ idToken: "abc", headers: { traceparent: "00-x" }, answered });
  expect(requests[0]?.request.headers).toMatchObject({
    authorization: "Bearer abc",
    traceparent: "00-x",
  });
  expect(answered).toHaveBeenCalledExactlyOnceWith(200);
});

test("a result may be null", async () => {
  answer = { status: 200, body: '{"result":null}' };
  expect(await ask()).toBeNull();
});

test("the function's own error keeps its code and its message", async () => {
  const error = { error: { status: "FAILED_PRECONDITION", message: "Not ticketed." } };
  expect(await failure(400, error)).toMatchObject({
    name: "CallableError",
    code: "failed-precondition",
    message: "Not ticketed.",
  });
});

test.each([
  [500, "oops", "internal"],
  [200, "{}", "internal"],
  [200, "<html>", "internal"],
  [200, "null", "internal"],
  [404, "Not found", "not-found"],
  [401, "", "unauthenticated"],
  [403, "<html>", "permission-denied"],
  [429, "", "resource-exhausted"],
  [503, "<html>", "unavailable"],
  [400, { error: {} }, "internal"],
  [400, { error: { status: 7, message: 7 } }, "internal"],
])("an answer of %i with %j is %s", async (status, body, code) => {
  expect(await failure(status, body)).toMatchObject({ code });
});

test("a timeout and an unreachable function have different codes", async () => {
  answer = "never";
  await expect(ask({ timeoutMs: 100 })).rejects.toMatchObject({ code: "deadline-exceeded" });
  url = "http://127.0.0.1:1/quote";
  await expect(ask()).rejects.toMatchObject({ code: "unavailable" });
});
