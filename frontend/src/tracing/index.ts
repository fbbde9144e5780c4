/** The Box Office's spans: their names, attributes and links. */
import { type Attributes, SpanKind } from "@opentelemetry/api";
import type { Settings } from "../settings";
import { writeBaggage } from "../throughline/baggage";
import { extract, inject } from "../throughline/carrier";
import { writeWithTrace } from "../throughline/document";
import { HttpTrace } from "../throughline/http";
import { ListenerTrace } from "../throughline/listener";
import { createLog } from "../throughline/log";
import { childOf, fail } from "../throughline/span";
import { startTelemetry } from "../throughline/telemetry";
import { pathOf, removedIds, shownOrder } from "./facts";
import { proof } from "./proof";
import type { Action, ActionTrace, LiveQuery, SourceLine, Tracing } from "./tracing";

const ROOT = { "throughline.root": "page" };

/** The baggage keys that leave the page; the functions accept no others. */
const BAGGAGE_KEYS = ["order.id", "show.id"];

/**
 * Starts tracing and the span of this page view, which starts when the page starts to load.
 *
 * @param serviceVersion the commit that the page was built from; empty if it is unknown.
 */
export function startBoxOfficeTracing(settings: Settings, serviceVersion = ""): Tracing {
  const { tracer, logs } = startTelemetry({
    serviceName: "page",
    serviceVersion,
    otlpEndpoint: settings.otlpEndpoint,
    sampleRatio: settings.traceSampleRatio,
    ...(settings.appCheckKey && isOwn(settings.otlpEndpoint) && { headers: proof }),
  });
  const log = createLog(logs);
  const view = tracer.startSpan(
    "page view",
    {
      startTime: performance.timeOrigin,
      attributes: { ...ROOT, "url.path": pathOf(location.pathname), ...at(__SOURCE_LINE__) },
    },
    childOf(undefined),
  );
  const listener = new ListenerTrace(tracer, view.spanContext());
  // The card processor is a third party and takes no context.
  const http = new HttpTrace(tracer, [location.origin, settings.functionsUrl]);

  function begin(action: Action): ActionTrace {
    const { name, line, done, failed, orderId, orderState, showId, facts } = action;
    const about: Attributes = {
      ...(orderId && { "boxoffice.order.id": orderId }),
      ...(showId && { "boxoffice.show.id": showId }),
    };
    const baggage = writeBaggage({ "order.id": orderId, "show.id": showId }, BAGGAGE_KEYS);
    const before = extract(action.follows);
    const links = [view.spanContext(), ...(before.state === "carried" ? [before.spanContext] : [])];
    const span = tracer.startSpan(
      name,
      {
        links: links.map((context) => ({ context })),
        attributes: { ...ROOT, ...about, ...facts, ...at(line) },
      },
      childOf(undefined),
    );
    if (orderId) listener.expect(orderId, orderState);
    return {
      traceId: span.spanContext().traceId,
      carrier: inject(span.spanContext()),
      request: ({ method, url, callable, line }, send) =>
        http.request(
          span,
          {
            method,
            url,
            baggage,
            ...(callable && { template: `/${callable}` }),
            attributes: { ...about, ...(callable && invoked(callable, url)), ...at(line) },
          },
          send,
        ),
      create: ({ collection, line }, write) =>
        writeWithTrace(
          tracer,
          span,
          {
            collection,
            operation: "create",
            baggage,
            attributes: { ...about, ...serverOf(settings), ...at(line) },
          },
          write,
        ),
      end(error) {
        if (error === undefined) {
          log("info", done, span.spanContext(), about);
        } else {
          const errorType = fail(span, error);
          log("error", failed, span.spanContext(), { ...about, "error.type": errorType });
        }
        span.end();
      },
    };
  }

  return {
    pageReady() {
      // Only the first time: the callback runs again whenever the shows change.
      if (view.isRecording()) view.end();
    },
    pageFailed(error) {
      if (!view.isRecording()) return;
      fail(view, error);
      view.end();
    },
    begin,
    listened({ began, rows, error, ...query }) {
      const span = tracer.startSpan(
        `listen ${query.collection}`,
        {
          kind: SpanKind.CLIENT,
          startTime: began,
          attributes: {
            ...asked(query),
            ...(rows !== undefined && { "db.response.returned_rows": rows }),
            ...serverOf(settings),
          },
        },
        childOf(view.spanContext()),
      );
      if (error) fail(span, error);
      span.end();
    },
    left({ ids, rows, ...query }) {
      tracer
        .startSpan(
          `leave ${query.collection}`,
          {
            attributes: {
              ...asked(query),
              "db.response.returned_rows": rows,
              "throughline.listener.removed": ids.length,
              "throughline.listener.removed_ids": removedIds(ids),
            },
          },
          childOf(view.spanContext()),
        )
        .end();
    },
    orderArrived(order, line) {
      const attributes = {
        "boxoffice.order.id": order.id,
        "boxoffice.order.state": order.state,
        "boxoffice.show.id": order.showId,
      };
      const spanContext = listener.arrived({
        documentId: order.id,
        version: order.state,
        carrier: order.carrier,
        hasPendingWrites: order.hasPendingWrites,
        spanName: `order ${order.state}`,
        attributes: {
          ...attributes,
          ...shownOrder(order),
          "db.system.name": "gcp.firestore",
          "db.collection.name": "orders",
          ...at(line),
        },
      });
      if (spanContext) log("info", `Order is ${order.state}`, spanContext, attributes);
    },
  };
}

/** Whether a URL is on the page's own origin, as that of the site's relay is. */
function isOwn(url: string): boolean {
  return new URL(url, location.origin).origin === location.origin;
}

/** The `code.*` attributes of the source line that started a span. */
function at(line: SourceLine): Attributes {
  const [file, number] = line.split(":");
  return { "code.file.path": `frontend/src/${file}`, "code.line.number": Number(number) };
}

/** The attributes of a live query. */
function asked({ collection, text, limit, line }: LiveQuery): Attributes {
  return {
    "db.system.name": "gcp.firestore",
    "db.collection.name": collection,
    "db.operation.name": "listen",
    "db.query.text": text,
    "db.query.summary": `listen ${collection}`,
    ...(limit !== undefined && { "db.query.parameter.limit": String(limit) }),
    ...at(line),
  };
}

/** The attributes of a called function, after the FaaS conventions for the caller's side. */
function invoked(name: string, url: string): Attributes {
  // The emulator has the region in the path, production in the host.
  const region = /\b[a-z]+-[a-z]+\d+\b/.exec(url)?.[0];
  return {
    "faas.invoked_name": name,
    "faas.invoked_provider": "gcp",
    ...(region && { "faas.invoked_region": region }),
  };
}

function serverOf({ firestoreEmulator }: Settings): Attributes {
  return {
    "server.address": firestoreEmulator?.host ?? "firestore.googleapis.com",
    "server.port": firestoreEmulator?.port ?? 443,
  };
}
