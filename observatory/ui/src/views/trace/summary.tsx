/** A trace in a few words: what it was, where the time went, what is missing. */
import "./summary.css";
import type { TimeShare, Trace, Unusual } from "../../api/types";
import { count, durationText, fullMoment, stateTone, percent } from "../../format";
import { unusualCount } from "./waterfall_items";

interface Props {
  trace: Trace;
  unusual: Unusual | null;
  arriving: boolean;
  /** What is unusual is to be shown. */
  onShowUnusual: () => void;
}

export function Summary({ trace, unusual, arriving, onShowUnusual }: Props) {
  const whole = trace.coverage === 1 && trace.orphans === 0;
  return (
    <section class="summary panel" aria-label="Summary">
      <div class="headline">
        <h1>
          {trace.order_id ? (
            <>
              Order <span class="id">{trace.order_id}</span>
            </>
          ) : (
            (trace.root ?? "Trace")
          )}
        </h1>
        {trace.order_state && (
          <span class={`chip ${stateTone(trace.order_state)}`}>{trace.order_state}</span>
        )}
        <span class={`chip arriving ${arriving ? "" : "idle"}`} aria-live="polite">
          {arriving && (
            <>
              <span class="pulse" aria-hidden="true" /> still arriving
            </>
          )}
        </span>
      </div>
      <p class="say">
        <b>{trace.headline}</b>
        {trace.summary && <>: {trace.summary}</>}
      </p>
      <PartsBar parts={trace.parts} />
      <p class="facts">
        <span>{count(trace.services.length, "service")}</span>
        <span>{count(trace.spans, "span")}</span>
        <span class={trace.errors ? "bad" : ""}>{count(trace.errors, "error")}</span>
        <span class={trace.orphans ? "warn" : ""}>{count(trace.orphans, "orphan")}</span>
        <span class={whole ? "good" : "warn"}>coverage {percent(trace.coverage)}</span>
        <time dateTime={trace.started_at}>{fullMoment(new Date(trace.started_at))}</time>
        <code class="id">{trace.trace_id}</code>
        <UnusualFact unusual={unusual} onShowUnusual={onShowUnusual} />
      </p>
      {!whole && <Broken trace={trace} arriving={arriving} />}
    </section>
  );
}

/** Whether the trace has the shape of others like it; last, since it is known a moment later. */
function UnusualFact({ unusual, onShowUnusual }: Pick<Props, "unusual" | "onShowUnusual">) {
  const odd = unusual === null ? 0 : unusualCount(unusual);
  return (
    <span class="shape-fact" role="status">
      {odd > 0 ? (
        <button type="button" class="as-link" onClick={onShowUnusual}>
          {odd} not as usual
        </button>
      ) : unusual === null ? (
        ""
      ) : unusual.compared_with > 0 ? (
        <span class="good">shape as usual</span>
      ) : (
        "none to compare with"
      )}
    </span>
  );
}

function PartsBar({ parts }: { parts: TimeShare[] }) {
  const total = parts.reduce((sum, part) => sum + part.duration_ms, 0);
  if (total === 0) return null;
  return (
    <div class="parts" aria-hidden="true">
      {parts
        .filter((part) => part.duration_ms > 0)
        .map((part) => (
          <span
            key={part.where}
            class={`part ${part.where}`}
            style={{ width: `${(part.duration_ms / total) * 100}%` }}
            title={`${durationText(part.duration_ms)} ${part.label}`}
          />
        ))}
    </div>
  );
}

function Broken({ trace, arriving }: Pick<Props, "trace" | "arriving">) {
  const lost = trace.spans - trace.covered;
  const missing = trace.missing_parents.length;
  return (
    <p class="banner warn" role="status">
      <b>{count(lost, "span")} without a way back to a root.</b>{" "}
      {missing > 0 ? (
        <>
          {count(trace.orphans, "span")} {trace.orphans === 1 ? "names" : "name"} a parent that
          isn't stored (
          {trace.missing_parents.slice(0, 3).map((id, index) => (
            <span key={id}>
              {index > 0 && ", "}
              <code>{id}</code>
            </span>
          ))}
          {missing > 3 && ` and ${missing - 3} more`}).{" "}
          {arriving ? "It may still be on its way." : "It was lost, or never sent."}
        </>
      ) : (
        "Its first span has no parent and doesn't declare itself a root: a hop lost the context."
      )}
    </p>
  );
}
