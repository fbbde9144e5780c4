/** Hop 4: a page's write to a Firestore document carries the context in the document itself. */
import { type Attributes, type Span, SpanKind, type Tracer } from "@opentelemetry/api";
import { inject, type TraceCarrier } from "./carrier";
import { childOf, during, hopAttributes } from "./span";

/** The reserved field that carries the context. */
export const TRACE_FIELD = "_trace";

/** A write to one document. */
export interface DocumentWrite {
  collection: string;
  operation: "create" | "update" | "set" | "delete";
  /** Stored beside the context; see `baggage.ts`. */
  baggage?: string | undefined;
  attributes?: Attributes;
}

/**
 * Runs `write` inside a PRODUCER span and passes it the carrier to store under `TRACE_FIELD`.
 *
 * The carrier holds the producer span's own context, so that whatever the write triggers becomes
 * its child. The span ends when the promise of `write` settles: once the server has answered.
 *
 * @returns what `write` returns. @throws what it throws, after recording it on the span.
 */
export function writeWithTrace<T>(
  tracer: Tracer,
  parent: Span,
  { collection, operation, baggage, attributes }: DocumentWrite,
  write: (carrier: TraceCarrier) => Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(
    `${operation} ${collection}`,
    {
      kind: SpanKind.PRODUCER,
      attributes: {
        ...hopAttributes("document", "document-field", "carried"),
        "db.system.name": "gcp.firestore",
        "db.collection.name": collection,
        "db.operation.name": operation,
        ...attributes,
      },
    },
    childOf(parent.spanContext()),
  );
  return during(span, () => write(inject(span.spanContext(), baggage)));
}
