/**
 * Spans whose parent is passed explicitly.
 *
 * A browser has no context that survives an `await` (zone.js cannot follow native async functions),
 * so nothing here reads or sets a current context.
 */
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

/** A context whose only content is `spanContext` as the parent; without one, no parent. */
export function childOf(spanContext: SpanContext | undefined): Context {
  return spanContext ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : ROOT_CONTEXT;
}

/**
 * Marks `span` as failed: status ERROR, an exception event and `error.type`.
 *
 * @param errorType one of a small set of words; defaults to the error's own `code` or name.
 * @returns that word.
 */
export function fail(span: Span, error: unknown, errorType: string = typeOfError(error)): string {
  const exception = error instanceof Error ? error : new Error(String(error));
  span.recordException(exception);
  span.setAttribute("error.type", errorType);
  span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message });
  return errorType;
}

/** Runs `work`, marks `span` as failed if it throws, and always ends it. */
export async function during<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** The hop's attributes, with the same names as in the Python half of the library. */
export function hopAttributes(
  hop: string,
  carrier: string,
  context: "carried" | "absent" | "invalid",
  reason?: string,
): Attributes {
  return {
    "throughline.hop": hop,
    "throughline.carrier": carrier,
    "throughline.context": context,
    ...(reason === undefined ? {} : { "throughline.context.reason": reason }),
  };
}

function typeOfError(error: unknown): string {
  if (error instanceof Error) {
    const code = (error as { code?: unknown }).code;
    return typeof code === "string" ? code : error.name;
  }
  return typeof error;
}
