/** Exceptions with their stack traces, events and log lines of a span. */
import type { Attributes, SpanEvent, SpanLog } from "../../api/types";
import { CopyButton, CopyIcon } from "../../components/copy_button";
import { durationText, textOrEmpty } from "../../format";
import { severityTone } from "../../severity";
import { AttributeTable } from "./attributes";
import { Section } from "./section";
import { Marked } from "./waterfall_row";

const STACK = "exception.stacktrace";
const SHOWN_SEPARATELY = new Set(["exception.type", "exception.message", STACK]);

/** The exceptions of a span, shown before its other events. */
export function Exceptions({ events }: { events: SpanEvent[] }) {
  return events.filter(isException).map((event, index) => {
    const stack = textOrEmpty(event.attributes[STACK]);
    return (
      <section key={index} class="exception" aria-label="Exception">
        <p>
          <b>{textOrEmpty(event.attributes["exception.type"]) || "Exception"}</b>
          <span class="at"> at {durationText(event.offset_ms)}</span>
        </p>
        <p class="message">{textOrEmpty(event.attributes["exception.message"])}</p>
        {stack && (
          <details open>
            <summary>Stack</summary>
            <CopyButton text={stack} label="Copy the stack" class="small">
              <CopyIcon />
            </CopyButton>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be reachable by keyboard */}
            <pre tabIndex={0}>{stack.trimEnd()}</pre>
          </details>
        )}
        <AttributeTable attributes={without(event.attributes, SHOWN_SEPARATELY)} />
      </section>
    );
  });
}

export function Events({ events, needle }: { events: SpanEvent[]; needle: string }) {
  const others = events.filter((event) => !isException(event));
  if (others.length === 0) return null;
  return (
    <Section title="Events" size={others.length}>
      <ol class="event-list">
        {others.map((event, index) => (
          <li key={index}>
            <p>
              <span class="at">{durationText(event.offset_ms)}</span>{" "}
              <b>
                <Marked text={event.name} needle={needle} />
              </b>
            </p>
            <AttributeTable attributes={event.attributes} needle={needle} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

export function Logs({ title, lines, needle = "" }: LogsProps) {
  if (lines.length === 0) return null;
  return (
    <Section title={title} size={lines.length}>
      <ol class="event-list">
        {lines.map((line, index) => (
          <li key={index} class={severityTone(line.severity_number)}>
            <p>
              <span class="at">{durationText(line.offset_ms)}</span>{" "}
              <b>{line.severity_text || line.event_name || "log"}</b>{" "}
              <Marked text={line.body} needle={needle} />
            </p>
            <AttributeTable attributes={line.attributes} needle={needle} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

interface LogsProps {
  title: string;
  lines: SpanLog[];
  needle?: string;
}

function isException(event: SpanEvent): boolean {
  return event.name === "exception";
}

function without(attributes: Attributes, keys: ReadonlySet<string>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => !keys.has(key)));
}
