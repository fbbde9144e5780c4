/** Hop 14: a document's change reaches a page's realtime listener. */
import { type Attributes, type SpanContext, SpanKind, type Tracer } from "@opentelemetry/api";
import { extract } from "./carrier";
import { childOf, hopAttributes } from "./span";

/** One snapshot of one document, as far as the listener's span needs it. */
export interface Arrival {
  documentId: string;
  /** Distinguishes one version of the document from the next, such as its state. */
  version: string;
  /** The document's `_trace` field, unchecked. */
  carrier: unknown;
  /** Whether the snapshot holds a write that the server has not confirmed. */
  hasPendingWrites: boolean;
  spanName: string;
  attributes?: Attributes;
}

/**
 * Records the arrivals of expected documents, once per version.
 *
 * A page that opens on old documents gets all of them in its first snapshot. Their traces ended
 * long ago, so only documents announced with `expect` during this view are recorded.
 */
export class ListenerTrace {
  private readonly seen = new Map<string, Set<string>>();

  /** @param view the page view's span, linked from every arrival. */
  constructor(
    private readonly tracer: Tracer,
    private readonly view: SpanContext,
  ) {}

  /** Record arrivals of `documentId` from now on, except of `version`, which is already on screen. */
  expect(documentId: string, version?: string): void {
    const versions = this.seen.get(documentId) ?? new Set();
    if (version !== undefined) versions.add(version);
    this.seen.set(documentId, versions);
  }

  /**
   * Records `arrival` as a CONSUMER span whose parent is the write that caused the snapshot, or a
   * new root if the carrier is absent or invalid.
   *
   * @returns the span's context, or undefined if there was nothing to record.
   */
  arrived(arrival: Arrival): SpanContext | undefined {
    const versions = this.seen.get(arrival.documentId);
    if (!versions || arrival.hasPendingWrites || versions.has(arrival.version)) return undefined;
    versions.add(arrival.version);
    const context = extract(arrival.carrier);
    const span = this.tracer.startSpan(
      arrival.spanName,
      {
        kind: SpanKind.CONSUMER,
        links: [{ context: this.view }],
        attributes: {
          ...hopAttributes(
            "listener",
            "document-field",
            context.state,
            context.state === "absent" ? undefined : context.reason,
          ),
          ...arrival.attributes,
        },
      },
      childOf(context.state === "carried" ? context.spanContext : undefined),
    );
    span.end();
    return span.spanContext();
  }
}
