/**
 * The core: reads and writes trace context as a small map of strings.
 *
 * Every hop carries context in some map. The adapters know where that map is; only this module
 * knows what is in it. Rules: W3C Trace Context level 2, https://www.w3.org/TR/trace-context-2/.
 */
import type { SpanContext } from "@opentelemetry/api";
import { type ParsedTraceState, parseTraceState } from "./tracestate";

/** The carrier, in the form of a document's `_trace` field. */
export interface TraceCarrier {
  traceparent: string;
  tracestate?: string;
  baggage?: string;
}

/**
 * The context that a hop received. `reason` says why it is invalid, or what was dropped beside a
 * valid traceparent; it does not quote the carrier.
 */
export type Extraction =
  | { state: "carried"; spanContext: SpanContext; reason?: string }
  | { state: "absent" }
  | { state: "invalid"; reason: string };

/** W3C Baggage, section 3.3.2. */
export const BAGGAGE_MAX_CHARS = 8192;

const TRACEPARENT =
  /^(?<version>[0-9a-f]{2})-(?<trace>[0-9a-f]{32})-(?<span>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?<rest>-.*)?$/;

// Level 2 defines two flags, sampled and random; the others must not be forwarded.
const KNOWN_FLAGS = 0b11;

/** Writes `spanContext` as a carrier; keys without a value are left out, as Firestore needs. */
export function inject(spanContext: SpanContext, baggage?: string): TraceCarrier {
  const flags = (spanContext.traceFlags & KNOWN_FLAGS).toString(16).padStart(2, "0");
  const tracestate = spanContext.traceState?.serialize();
  return {
    traceparent: `00-${spanContext.traceId}-${spanContext.spanId}-${flags}`,
    ...(tracestate ? { tracestate } : {}),
    ...(baggage ? { baggage } : {}),
  };
}

/**
 * A carrier for a caller that records no spans: fresh ids, flagged as not sampled.
 *
 * The spans that follow share one trace id. Their parent is missing, and the flag says that it was
 * never recorded.
 */
export function injectUnrecorded(): TraceCarrier {
  return { traceparent: `00-${randomHex(16)}-${randomHex(8)}-00` };
}

/**
 * Reads a span context from `carrier`, a value that may come from an untrusted sender. Never throws.
 *
 * A carrier that is missing or has no traceparent is `absent`; one whose traceparent breaks the
 * specification is `invalid`. A tracestate or baggage that is malformed, too long or
 * not a string is dropped alone: the traceparent is still used, and `reason` names what was dropped.
 */
export function extract(carrier: unknown): Extraction {
  if (carrier === undefined || carrier === null) return { state: "absent" };
  if (typeof carrier !== "object" || Array.isArray(carrier)) {
    return invalid(`carrier is a ${nameOfType(carrier)}, not a map`);
  }
  const { traceparent, tracestate, baggage } = carrier as Record<string, unknown>;
  if (traceparent === undefined || traceparent === null) return { state: "absent" };
  if (typeof traceparent !== "string") return invalid(notString("traceparent", traceparent));
  const fields = TRACEPARENT.exec(traceparent)?.groups;
  if (!fields) return invalid("traceparent is malformed");
  const { version, trace = "", span = "", flags = "", rest } = fields;
  if (version === "ff") return invalid("traceparent has the forbidden version ff");
  if (version === "00" && rest !== undefined) {
    return invalid("traceparent of version 00 is too long");
  }
  if (/^0+$/.test(trace)) return invalid("traceparent has a trace id of zeros");
  if (/^0+$/.test(span)) return invalid("traceparent has a span id of zeros");

  const spanContext: SpanContext = {
    traceId: trace,
    spanId: span,
    traceFlags: Number.parseInt(flags, 16) & KNOWN_FLAGS,
    isRemote: true,
  };
  const { traceState, loss } = readTraceState(tracestate);
  if (traceState) spanContext.traceState = traceState;
  const reason = [loss, baggageLoss(baggage)].filter(Boolean).join("; ");
  return { state: "carried", spanContext, ...(reason && { reason }) };
}

function readTraceState(value: unknown): ParsedTraceState {
  if (value === undefined || value === null) return {};
  return typeof value === "string"
    ? parseTraceState(value)
    : { loss: notString("tracestate", value) };
}

/** A page does not use baggage; it only reports what a function would reject. */
function baggageLoss(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") return notString("baggage", value);
  return value.length > BAGGAGE_MAX_CHARS
    ? `baggage is longer than ${BAGGAGE_MAX_CHARS} characters`
    : undefined;
}

function notString(key: string, value: unknown): string {
  return `${key} is a ${nameOfType(value)}, not a string`;
}

function nameOfType(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}

function invalid(reason: string): Extraction {
  return { state: "invalid", reason };
}

function randomHex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  // An id of zeros is invalid; setting one bit rules it out.
  random[0] = (random[0] ?? 0) | 1;
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
