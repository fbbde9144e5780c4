/** A span's parent and links. */
import type { IncomingLink, Row, SpanLink, Trace } from "../../api/types";
import { withoutPackage } from "../../format";
import { followLink, tracePath } from "../../navigation/route";
import { AttributeTable } from "./attributes";
import { Section } from "./section";

interface Props {
  trace: Trace;
  onSelect: (spanId: string) => void;
}

function SpanButton({ trace, spanId, onSelect }: Props & { spanId: string }) {
  const span = trace.rows.find((candidate) => candidate.span_id === spanId);
  if (span === undefined) return <>{spanId} (not stored)</>;
  return (
    <button type="button" class="as-link" onClick={() => onSelect(span.span_id)}>
      {span.label} ({span.service})
    </button>
  );
}

export function Parent({ trace, row, onSelect }: Props & { row: Row }) {
  if (row.parent_span_id)
    return <SpanButton trace={trace} spanId={row.parent_span_id} onSelect={onSelect} />;
  return <>none{row.root ? `: a declared root (${row.root})` : ""}</>;
}

/** The spans of other traces that link to this trace, or to one of its spans. */
export function IncomingLinks({ links }: { links: IncomingLink[] }) {
  if (links.length === 0) return null;
  return (
    <Section title="Linked from" size={links.length}>
      <ul class="event-list">
        {links.map((link) => (
          <li key={`${link.span_id} ${link.to_span_id}`}>
            <p>
              <a href={tracePath(link.trace_id, link.span_id)} onClick={followLink}>
                {withoutPackage(link.name)} ({link.service})
              </a>{" "}
              in trace <code>{link.trace_id.slice(0, 12)}…</code>
            </p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

export function Links({ links, trace, onSelect }: Props & { links: SpanLink[] }) {
  if (links.length === 0) return null;
  return (
    <Section title="Links" size={links.length}>
      <ul class="event-list">
        {links.map((link, index) => (
          <li key={index}>
            <p>
              {link.trace_id === trace.trace_id ? (
                <SpanButton trace={trace} spanId={link.span_id} onSelect={onSelect} />
              ) : link.stored ? (
                <a href={tracePath(link.trace_id, link.span_id)} onClick={followLink}>
                  Open trace <code>{link.trace_id.slice(0, 12)}…</code>
                </a>
              ) : (
                <>
                  <code>{link.trace_id}</code> (not stored)
                </>
              )}
            </p>
            <AttributeTable attributes={link.attributes} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
