/** The Box Office's spans: their names, their attributes and how they hang together. */
import { SpanKind } from "@opentelemetry/api";
import type { Settings } from "../settings";
import { writeWithTrace } from "../throughline/document";
import { ListenerTrace } from "../throughline/listener";
import { createLog } from "../throughline/log";
import { childOf, during, fail } from "../throughline/span";
import { startTelemetry } from "../throughline/telemetry";
import type { PurchaseTrace, Tracing } from "./tracing";

const ROOT = { "throughline.root": "page" };

/** Starts tracing and the span of this page view, which began when the page began to load. */
export function startBoxOfficeTracing(settings: Settings): Tracing {
  const { tracer, logger } = startTelemetry({
    serviceName: "page",
    otlpEndpoint: settings.otlpEndpoint,
  });
  const log = createLog(logger);
  const view = tracer.startSpan(
    "page view",
    {
      startTime: performance.timeOrigin,
      attributes: { ...ROOT, "url.path": location.pathname },
    },
    childOf(undefined),
  );
  const listener = new ListenerTrace(tracer, view.spanContext());

  function beginPurchase(orderId: string, showId: string): PurchaseTrace {
    const order = { "boxoffice.order.id": orderId, "boxoffice.show.id": showId };
    const buy = tracer.startSpan(
      "buy",
      {
        links: [{ context: view.spanContext() }],
        attributes: { ...ROOT, ...order },
      },
      childOf(undefined),
    );
    listener.expect(orderId);
    return {
      traceId: buy.spanContext().traceId,
      tokenise(url, post) {
        const span = tracer.startSpan(
          "POST /tokens",
          { kind: SpanKind.CLIENT, attributes: httpAttributes("POST", url) },
          childOf(buy.spanContext()),
        );
        return during(span, () =>
          post((status) => span.setAttribute("http.response.status_code", status)),
        );
      },
      placeOrder: (write) =>
        writeWithTrace(
          tracer,
          buy,
          {
            collection: "orders",
            operation: "create",
            attributes: { ...order, ...serverOf(settings) },
          },
          write,
        ),
      end(error) {
        if (error === undefined) {
          log("info", "Order placed", buy.spanContext(), order);
        } else {
          const errorType = fail(buy, error);
          log("error", "Order could not be placed", buy.spanContext(), {
            ...order,
            "error.type": errorType,
          });
        }
        buy.end();
      },
    };
  }

  return {
    pageReady() {
      // Only the first time; the shows come again whenever they change.
      if (view.isRecording()) view.end();
    },
    pageFailed(error) {
      if (!view.isRecording()) return;
      fail(view, error);
      view.end();
    },
    beginPurchase,
    orderArrived(order) {
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
          "db.system.name": "gcp.firestore",
          "db.collection.name": "orders",
        },
      });
      if (spanContext) log("info", `Order is ${order.state}`, spanContext, attributes);
    },
  };
}

function httpAttributes(method: string, url: string) {
  const { hostname, port, protocol } = new URL(url);
  return {
    "http.request.method": method,
    "url.full": url,
    "server.address": hostname,
    "server.port": Number(port) || (protocol === "https:" ? 443 : 80),
  };
}

function serverOf({ firestoreEmulator }: Settings) {
  return {
    "server.address": firestoreEmulator?.host ?? "firestore.googleapis.com",
    "server.port": firestoreEmulator?.port ?? 443,
  };
}
