/** Requests against a real HTTP server, which is an own server or a third party's. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createTraceState, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { extract } from "../../../frontend/src/throughline/carrier";
import {
  contextHeaders,
  HttpTrace,
  type OutgoingRequest,
  type Sending,
} from "../../../frontend/src/throughline/http";
import { childOf } from "../../../frontend/src/throughline/span";
import { recorded } from "./recorded";

let server: Server;
let base: string;
let status: number;
let received: IncomingHttpHeaders[];

beforeEach(async () => {
  status = 200;
  received = [];
  server = createServer((request, response) => {
    received.push(request.headers);
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Makes one request from a click, and returns what was recorded. */
async function ask(request: Partial<OutgoingRequest> = {}, ownServers = [base]) {
  const record = recorded();
  const click = record.tracer.startSpan("click", {}, childOf(undefined));
  const outgoing = { method: "GET", url: `${base}/seats?show_id=a`, ...request };
  const send = async ({ headers, answered }: Sending) => {
    const response = await fetch(outgoing.url, { headers: { ...headers } });
    answered(response.status);
    return response.status;
  };
  const response = new HttpTrace(record.tracer, ownServers).request(click, outgoing, send);
  return { result: await response, click: click.spanContext(), ...record };
}

test("a request to an own server carries its span's context and a copy of traceparent", async () => {
  const { named, click } = await ask({ baggage: "show.id=a" });
  const span = named("GET /seats");
  const { traceId, spanId } = span.spanContext();
  expect([traceId, span.parentSpanContext?.spanId]).toEqual([click.traceId, click.spanId]);
  expect(received[0]).toMatchObject({
    traceparent: `00-${traceId}-${spanId}-01`,
    "x-throughline-context": `00-${traceId}-${spanId}-01`,
    baggage: "show.id=a",
  });
  expect(received[0]).not.toHaveProperty("tracestate");
});

test("the headers can be read back as a carrier, tracestate included", () => {
  const spanContext = {
    traceId: "a".repeat(32),
    spanId: "b".repeat(16),
    traceFlags: 1,
    traceState: createTraceState("vendor=x"),
  };
  const headers = contextHeaders(spanContext);
  expect(headers.tracestate).toBe("vendor=x");
  const context = extract(headers);
  expect(context.state === "carried" && context.spanContext.spanId).toBe(spanContext.spanId);
});

test("a third party gets a span and no header", async () => {
  const { named } = await ask({ baggage: "show.id=a" }, ["https://box-office.example/functions"]);
  for (const name of ["traceparent", "tracestate", "baggage", "x-throughline-context"]) {
    expect(received[0]).not.toHaveProperty(name);
  }
  expect(named("GET /seats").attributes["http.response.status_code"]).toBe(200);
});

test("own servers are compared by origin, not by prefix", async () => {
  await ask({}, [base.slice(0, -1)]);
  expect(received[0]).not.toHaveProperty("traceparent");
});

test("the span has the attributes of the conventions for HTTP clients", async () => {
  const { named } = await ask({ template: "/seats/{id}", attributes: { "x.y": 1 } });
  const span = named("GET /seats/{id}");
  const { port } = new URL(base);
  expect(span.kind).toBe(SpanKind.CLIENT);
  expect(span.attributes).toEqual({
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "url.full": `${base}/seats?show_id=a`,
    "url.template": "/seats/{id}",
    "server.address": "127.0.0.1",
    "server.port": Number(port),
    "x.y": 1,
  });
  expect(span.status.code).toBe(SpanStatusCode.UNSET);
});

test.each([400, 404, 500])(
  "a %i is an error on the span, even if the caller puts up with it",
  async (code) => {
    status = code;
    const { named, result } = await ask();
    expect(result).toBe(code);
    const span = named("GET /seats");
    expect(span.status.code).toBe(SpanStatusCode.ERROR);
    expect(span.attributes["error.type"]).toBe(String(code));
  },
);

test("a server that cannot be reached fails the span and the caller", async () => {
  const record = recorded();
  const click = record.tracer.startSpan("click", {}, childOf(undefined));
  const response = new HttpTrace(record.tracer, []).request(
    click,
    { method: "GET", url: "http://127.0.0.1:1/seats" },
    () => fetch("http://127.0.0.1:1/seats"),
  );
  await expect(response).rejects.toThrow();
  expect(record.named("GET /seats").attributes["error.type"]).toBe("TypeError");
});

test("concurrent requests keep their own parents", async () => {
  const record = recorded();
  const http = new HttpTrace(record.tracer, [base]);
  const clicks = ["one", "two"].map((name) =>
    record.tracer.startSpan(name, {}, childOf(undefined)),
  );
  await Promise.all(
    clicks.map((click, place) =>
      http.request(click, { method: "GET", url: `${base}/${place}` }, ({ headers }) =>
        fetch(`${base}/${place}`, { headers: { ...headers } }),
      ),
    ),
  );
  const parents = ["GET /0", "GET /1"].map((name) => record.named(name).parentSpanContext?.spanId);
  expect(parents).toEqual(clicks.map((click) => click.spanContext().spanId));
});
