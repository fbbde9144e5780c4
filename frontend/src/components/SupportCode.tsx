import { useState } from "preact/hooks";
import { settings } from "../settings";
import { announce } from "./Announcer";

/** Enough digits of a trace id to find it in the Observatory, and few enough to read out. */
const SHORT_DIGITS = 8;

/** A trace id to quote to support: copyable, and linked to what happened. */
export function SupportCode({ traceId }: { traceId: string }) {
  return (
    <div class="support">
      <span class="support-label">Support code</span>
      <code>{traceId}</code>
      <CopyCode traceId={traceId} />
      <TraceLink traceId={traceId}>See what happened</TraceLink>
    </div>
  );
}

/** For an order that has not failed: one line with the short code; its button copies the whole id. */
export function ShortSupportCode({ traceId, about }: { traceId: string; about: string }) {
  return (
    <span class="support-short">
      Support code <code title={traceId}>{traceId.slice(0, SHORT_DIGITS)}</code>
      <CopyCode traceId={traceId} about={about} />
    </span>
  );
}

function CopyCode({ traceId, about }: { traceId: string; about?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(traceId);
    setCopied(true);
    announce("Support code copied.");
  };
  return (
    <button type="button" class="button small" onClick={() => void copy().catch(console.error)}>
      {copied ? "Copied" : "Copy"}
      <span class="unseen"> support code{about && ` of ${about}`}</span>
    </button>
  );
}

interface TraceLinkProps {
  traceId: string;
  children: string;
  /** Read out after the text by a screen reader: what the link is about. */
  about?: string;
}

/** Opens a trace in the Observatory, in a new tab; nothing where the page knows no Observatory. */
export function TraceLink({ traceId, children, about }: TraceLinkProps) {
  if (settings.observatoryUrl === null) return null;
  return (
    <a
      class="trace-link"
      href={`${settings.observatoryUrl}/traces/${traceId}`}
      target="_blank"
      rel="noopener"
    >
      {children}
      <span class="unseen">{about ? ` (${about})` : ""}, opens in a new tab</span>
      <span aria-hidden="true"> ↗</span>
    </a>
  );
}
