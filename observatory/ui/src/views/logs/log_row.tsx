/** One log line, which expands to show all of its fields. */
import { useEffect, useRef } from "preact/hooks";
import { fullMoment } from "../../format";
import { followLink, tracePath } from "../../navigation/route";
import { address } from "../../navigation/selection";
import { severityTone, severityWord } from "../../severity";
import { AttributeList } from "./attributes";
import type { BufferedLine } from "./line_buffer";

interface Props {
  line: BufferedLine;
  open: boolean;
  onToggle: (seq: number) => void;
  /** Receives the height of the opened part. */
  onHeight: (seq: number, px: number) => void;
}

export function LogRow({ line, open, onToggle, onHeight }: Props) {
  const tone = severityTone(line.severity_number);
  const text = line.body || line.event_name;
  return (
    <>
      <div class={`log-row ${tone}`}>
        <button type="button" aria-expanded={open} onClick={() => onToggle(line.seq)}>
          <time dateTime={line.time} title={fullMoment(new Date(line.time))}>
            {clock(line.time)}
          </time>
          <span class="severity">{severityWord(line.severity_number, line.severity_text)}</span>
          <span class="service">{line.service}</span>
          <span class={`body ${text === "" ? "none" : ""}`}>
            {text === "" ? "(no text)" : text.replace(/\s+/g, " ")}
          </span>
        </button>
        {line.trace_id && (
          <a
            class="to-trace"
            href={tracePath(line.trace_id, line.span_id)}
            onClick={followLink}
            aria-label={`Trace ${line.trace_id.slice(0, 8)}, at this line's span`}
          >
            {line.trace_id.slice(0, 8)}
          </a>
        )}
      </div>
      {open && <Opened line={line} onHeight={onHeight} />}
    </>
  );
}

function Opened({ line, onHeight }: Pick<Props, "line" | "onHeight">) {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => onHeight(line.seq, element.offsetHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, [line.seq, onHeight]);
  return (
    <div class="log-opened" ref={container}>
      <pre>{line.body || line.event_name || "(no text)"}</pre>
      {line.trace_id && (
        <p>
          <a href={tracePath(line.trace_id, line.span_id)} onClick={followLink}>
            Open its {line.span_id ? "span" : "trace"}
          </a>{" "}
          ·{" "}
          <a
            href={address("/logs", new URLSearchParams({ last: "all", trace: line.trace_id }))}
            onClick={followLink}
          >
            All log lines of its trace
          </a>
        </p>
      )}
      <AttributeList
        attributes={{
          ...line.attributes,
          ...(line.event_name && line.body ? { "event name": line.event_name } : {}),
        }}
      />
      <p class="sub">
        {fullMoment(new Date(line.time))} · severity {line.severity_number}
        {line.severity_text && ` (${line.severity_text})`}
      </p>
    </div>
  );
}

/** Format the local time of day to the millisecond. */
function clock(iso: string): string {
  const moment = new Date(iso);
  const two = (number: number, digits = 2) => String(number).padStart(digits, "0");
  return `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}.${two(moment.getMilliseconds(), 3)}`;
}
