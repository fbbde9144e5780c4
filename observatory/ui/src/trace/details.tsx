/** Everything a span says about itself. */
import "./details.css";
import type { ComponentChildren, RefObject } from "preact";
import type { Journey, LogLine, Row, SpanEvent, SpanLink } from "../api";
import { followLink, tracePath } from "../route";
import { durationText } from "../wording";
import { Properties } from "./properties";
import { Rules, withoutExcerpt } from "./rules";
import { Section } from "./section";

interface Props {
  journey: Journey;
  row: Row | null;
  onSelect: (spanId: string) => void;
  onClose: () => void;
  place: RefObject<HTMLElement | null>;
}

export function Details({ journey, row, onSelect, onClose, place }: Props) {
  if (row === null)
    return (
      <aside class="details panel empty" aria-label="Details">
        <p>Choose a row to see what its span says: attributes, events, links and log lines.</p>
        {journey.logs.length > 0 && <Logs title="Logs of the trace" lines={journey.logs} />}
      </aside>
    );
  const attributes = withoutExcerpt(row.attributes);
  return (
    <aside
      class={`details panel ${row.party}`}
      aria-labelledby="details-title"
      tabIndex={-1}
      ref={place}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <div class="details-head">
        <h2 id="details-title">{row.label}</h2>
        <button type="button" class="close" aria-label="Close details" onClick={onClose}>
          ×
        </button>
      </div>
      <p class="sub">
        <span class="party-dot" /> {row.service} · {row.kind.toLowerCase()}
        {row.hop && ` · by ${row.hop}`}
      </p>
      <Trouble row={row} />
      <dl class="timing">
        <Fact name="begins">{durationText(row.offset_ms)}</Fact>
        {row.wait && <Fact name="waited">{durationText(row.wait.duration_ms)}</Fact>}
        <Fact name="took">{durationText(row.duration_ms)}</Fact>
      </dl>
      <Rules attributes={row.attributes} />
      <Section title="Attributes" size={Object.keys(attributes).length}>
        <Properties attributes={attributes} />
      </Section>
      {row.events.length > 0 && <Events events={row.events} />}
      {row.logs.length > 0 && <Logs title="Logs" lines={row.logs} />}
      {row.links.length > 0 && <Links links={row.links} journey={journey} onSelect={onSelect} />}
      <Section title="Identity">
        <dl class="properties">
          <dt>span</dt>
          <dd>{row.span_id}</dd>
          <dt>parent</dt>
          <dd>
            <Parent journey={journey} row={row} onSelect={onSelect} />
          </dd>
          {row.context && (
            <>
              <dt>context</dt>
              <dd>
                {row.context}
                {row.carrier && `, in ${row.carrier}`}
              </dd>
            </>
          )}
          {row.scope && (
            <>
              <dt>scope</dt>
              <dd>{row.scope}</dd>
            </>
          )}
          {row.name !== row.label && (
            <>
              <dt>name</dt>
              <dd>{row.name}</dd>
            </>
          )}
        </dl>
      </Section>
      <Section title="Resource" size={Object.keys(row.resource).length}>
        <Properties attributes={row.resource} />
      </Section>
    </aside>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Trouble({ row }: { row: Row }) {
  return (
    <>
      {row.error && (
        <p class="banner bad">
          <b>Error.</b> {row.status_message || "The span gives no message."}
        </p>
      )}
      {row.orphan && (
        <p class="banner warn">
          <b>Orphan.</b> It names the parent <code>{row.parent_span_id}</code>, which isn't stored.
        </p>
      )}
      {!row.orphan && !row.covered && (
        <p class="banner warn">Its parents don't lead to a declared root.</p>
      )}
    </>
  );
}

function SpanButton({ journey, spanId, onSelect }: SpanButtonProps) {
  const span = journey.rows.find((candidate) => candidate.span_id === spanId);
  if (span === undefined) return <>{spanId} (not stored)</>;
  return (
    <button type="button" class="as-link" onClick={() => onSelect(span.span_id)}>
      {span.label} ({span.service})
    </button>
  );
}

function Parent({ journey, row, onSelect }: Pick<Props, "journey" | "onSelect"> & { row: Row }) {
  if (row.parent_span_id)
    return <SpanButton journey={journey} spanId={row.parent_span_id} onSelect={onSelect} />;
  return <>none{row.root ? `: a declared root (${row.root})` : ""}</>;
}

type SpanButtonProps = Pick<Props, "journey" | "onSelect"> & { spanId: string };

function Events({ events }: { events: SpanEvent[] }) {
  return (
    <Section title="Events" size={events.length}>
      <ol class="happenings">
        {events.map((event, index) => (
          <li key={index} class={event.name === "exception" ? "bad" : ""}>
            <p>
              <span class="at">{durationText(event.offset_ms)}</span> <b>{event.name}</b>
            </p>
            <Properties attributes={event.attributes} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Logs({ title, lines }: { title: string; lines: LogLine[] }) {
  return (
    <Section title={title} size={lines.length}>
      <ol class="happenings">
        {lines.map((line, index) => (
          <li
            key={index}
            class={line.severity_number >= 17 ? "bad" : line.severity_number >= 13 ? "warn" : ""}
          >
            <p>
              <span class="at">{durationText(line.offset_ms)}</span>{" "}
              <b>{line.severity_text || line.event_name || "log"}</b> {line.body}
            </p>
            <Properties attributes={line.attributes} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

type LinksProps = Pick<Props, "journey" | "onSelect"> & { links: SpanLink[] };

function Links({ links, journey, onSelect }: LinksProps) {
  return (
    <Section title="Links" size={links.length}>
      <ul class="happenings">
        {links.map((link) => (
          <li key={`${link.trace_id}-${link.span_id}`}>
            <p>
              {link.trace_id === journey.trace_id ? (
                <SpanButton journey={journey} spanId={link.span_id} onSelect={onSelect} />
              ) : link.stored ? (
                <a href={tracePath(link.trace_id, link.span_id)} onClick={followLink}>
                  <code>
                    {link.trace_id.slice(0, 12)}… / {link.span_id}
                  </code>
                </a>
              ) : (
                <>
                  <code>{link.trace_id}</code> (not stored)
                </>
              )}
            </p>
            <Properties attributes={link.attributes} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
