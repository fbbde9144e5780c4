/** Hops 1, 2 and 3: an HTTP request, a hosting rewrite or a callable carries the context in headers. */
import {
  type Attributes,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
} from "@opentelemetry/api";
import { inject } from "./carrier";
import { childOf, during } from "./span";

/** Google's front end replaces the page's `traceparent` with its own; this copy gets through. */
export const CONTEXT_COPY_HEADER = "x-throughline-context";

/** A request to send. */
export interface OutgoingRequest {
  method: string;
  /** Absolute. */
  url: string;
  /** The path without its variable parts, for the span's name; defaults to the URL's own path. */
  template?: string;
  /** A `baggage` header's value. */
  baggage?: string | undefined;
  attributes?: Attributes;
}

/** The span of a request: headers to send, and a callback for the response's status. */
export interface Sending {
  /** Headers to send with the request; empty for a third party. */
  headers: Readonly<Record<string, string>>;
  /** Must be called with the HTTP status as soon as it is known. */
  answered: (status: number) => void;
}

/**
 * The requests of a page, each inside a CLIENT span. Requests to the app's own servers carry the
 * span's context in their headers.
 *
 * Parent and headers are passed explicitly: a page has no ambient context that survives an
 * `await`, and a patched `fetch` could only guess which of several clicks a request belongs to.
 */
export class HttpTrace {
  private readonly own: ReadonlySet<string>;

  /** @param ownServers URLs of the app's servers; requests to other origins carry no context. */
  constructor(
    private readonly tracer: Tracer,
    ownServers: readonly string[],
  ) {
    this.own = new Set(ownServers.map((address) => new URL(address).origin));
  }

  /**
   * Runs `send` inside a CLIENT span, a child of `parent`, that ends when its promise settles.
   *
   * A status of 400 or above makes the span an error even if `send` does not throw.
   *
   * @returns what `send` returns. @throws what it throws, after recording it on the span.
   */
  request<T>(
    parent: Span,
    { method, url, template, baggage, attributes }: OutgoingRequest,
    send: (sending: Sending) => Promise<T>,
  ): Promise<T> {
    const { origin, hostname, pathname, port, protocol } = new URL(url);
    const path = template ?? pathname;
    const span = this.tracer.startSpan(
      `${method} ${path}`,
      {
        kind: SpanKind.CLIENT,
        attributes: {
          "http.request.method": method,
          "url.full": url,
          "url.template": path,
          "server.address": hostname,
          "server.port": Number(port) || (protocol === "https:" ? 443 : 80),
          ...attributes,
        },
      },
      childOf(parent.spanContext()),
    );
    const headers = this.own.has(origin) ? contextHeaders(span.spanContext(), baggage) : {};
    return during(span, () =>
      send({
        headers,
        answered(status) {
          span.setAttribute("http.response.status_code", status);
          if (status < 400) return;
          span.setAttribute("error.type", String(status));
          span.setStatus({ code: SpanStatusCode.ERROR });
        },
      }),
    );
  }
}

/** The headers that carry `spanContext`: the standard ones, and the copy that Google leaves alone. */
export function contextHeaders(
  spanContext: SpanContext,
  baggage?: string,
): Readonly<Record<string, string>> {
  const carrier = inject(spanContext, baggage);
  return { ...carrier, [CONTEXT_COPY_HEADER]: carrier.traceparent };
}
