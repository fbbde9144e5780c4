import { useState } from "preact/hooks";
import { settings } from "../settings";
import { announce } from "./Announcer";

/** A trace id to quote to support: copyable, and linked to what happened. */
export function SupportCode({ traceId }: { traceId: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(traceId);
    setCopied(true);
    announce("Support code copied.");
  };
  return (
    <div class="support">
      <span class="support-label">Support code</span>
      <code>{traceId}</code>
      <button type="button" class="button small" onClick={() => void copy().catch(console.error)}>
        {copied ? "Copied" : "Copy"}
        <span class="unseen"> support code</span>
      </button>
      <TraceLink traceId={traceId}>See what happened</TraceLink>
    </div>
  );
}

interface TraceLinkProps {
  traceId: string;
  children: string;
  /** Said after the text to whoever cannot see what the link is beside. */
  about?: string;
}

/** Opens a trace in the Observatory, in a new tab. */
export function TraceLink({ traceId, children, about }: TraceLinkProps) {
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
