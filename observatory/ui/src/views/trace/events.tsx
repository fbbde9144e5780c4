/** What happened during a span: exceptions with their stacks, events, log lines. */
import type { Attributes, SpanEvent, SpanLog } from "../../api/types";
import { Copy, CopyIcon } from "../../components/copy_button";
import { durationText } from "../../format";
import { AttributeTable } from "./attributes";
import { Section } from "./section";
import { Marked } from "./waterfall_row";

const STACK = "exception.stacktrace";
const SAID_ABOVE = new Set(["exception.type", "exception.message", STACK]);

/** Exceptions first of all: they are what one came for. */
export function Exceptions({ events }: { events: SpanEvent[] }) {
  return events.filter(isException).map((event, index) => {
    const stack = text(event.attributes[STACK]);
    return (
      <section key={index} class="exception" aria-label="Exception">
        <p>
          <b>{text(event.attributes["exception.type"]) || "Exception"}</b>
          <span class="at"> at {durationText(event.offset_ms)}</span>
        </p>
        <p class="message">{text(event.attributes["exception.message"])}</p>
        {stack && (
          <details open>
            <summary>Stack</summary>
            <Copy text={stack} label="Copy the stack" class="small">
              <CopyIcon />
            </Copy>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it */}
            <pre tabIndex={0}>{stack.trimEnd()}</pre>
          </details>
        )}
        <AttributeTable attributes={without(event.attributes, SAID_ABOVE)} />
      </section>
    );
  });
}

export function Events({ events, needle }: { events: SpanEvent[]; needle: string }) {
  const others = events.filter((event) => !isException(event));
  if (others.length === 0) return null;
  return (
    <Section title="Events" size={others.length}>
      <ol class="happenings">
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
      <ol class="happenings">
        {lines.map((line, index) => (
          <li
            key={index}
            class={line.severity_number >= 17 ? "bad" : line.severity_number >= 13 ? "warn" : ""}
          >
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

function text(value: Attributes[string] | undefined): string {
  return typeof value === "string" ? value : "";
}

function without(attributes: Attributes, keys: ReadonlySet<string>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => !keys.has(key)));
}
