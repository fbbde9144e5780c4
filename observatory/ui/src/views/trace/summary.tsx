/** A trace in a few words: what it was, where the time went, what is missing. */
import "./summary.css";
import type { TimeShare, Trace, Unusual } from "../../api/types";
import { count, durationText, fullMoment, moodOf, percent } from "../../format";
import { oddities } from "./waterfall_items";

interface Props {
  journey: Trace;
  unusual: Unusual | null;
  arriving: boolean;
  /** What is unusual is to be shown. */
  onShape: () => void;
}

export function Summary({ journey, unusual, arriving, onShape }: Props) {
  const whole = journey.coverage === 1 && journey.orphans === 0;
  return (
    <section class="summary panel" aria-label="Summary">
      <div class="headline">
        <h1>
          {journey.order_id ? (
            <>
              Order <span class="id">{journey.order_id}</span>
            </>
          ) : (
            (journey.root ?? "Trace")
          )}
        </h1>
        {journey.order_state && (
          <span class={`chip ${moodOf(journey.order_state)}`}>{journey.order_state}</span>
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
        <b>{journey.headline}</b>
        {journey.summary && <>: {journey.summary}</>}
      </p>
      <PartsBar parts={journey.parts} />
      <p class="facts">
        <span>{count(journey.services.length, "service")}</span>
        <span>{count(journey.spans, "span")}</span>
        <span class={journey.errors ? "bad" : ""}>{count(journey.errors, "error")}</span>
        <span class={journey.orphans ? "warn" : ""}>{count(journey.orphans, "orphan")}</span>
        <span class={whole ? "good" : "warn"}>coverage {percent(journey.coverage)}</span>
        <time dateTime={journey.started_at}>{fullMoment(new Date(journey.started_at))}</time>
        <code class="id">{journey.trace_id}</code>
        <ShapeFact unusual={unusual} onShape={onShape} />
      </p>
      {!whole && <Broken journey={journey} arriving={arriving} />}
    </section>
  );
}

/** Whether the trace has the shape of others like it; last, since it is known a moment later. */
function ShapeFact({ unusual, onShape }: Pick<Props, "unusual" | "onShape">) {
  const odd = unusual === null ? 0 : oddities(unusual);
  return (
    <span class="shape-fact" role="status">
      {odd > 0 ? (
        <button type="button" class="as-link" onClick={onShape}>
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

function Broken({ journey, arriving }: Pick<Props, "journey" | "arriving">) {
  const lost = journey.spans - journey.covered;
  const missing = journey.missing_parents.length;
  return (
    <p class="banner warn" role="status">
      <b>{count(lost, "span")} without a way back to a root.</b>{" "}
      {missing > 0 ? (
        <>
          {count(journey.orphans, "span")} {journey.orphans === 1 ? "names" : "name"} a parent that
          isn't stored (
          {journey.missing_parents.slice(0, 3).map((id, index) => (
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
