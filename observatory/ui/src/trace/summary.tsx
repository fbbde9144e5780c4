/** A trace in a few words: what it was, where the time went, what is missing. */
import "./summary.css";
import type { Journey, Part } from "../api";
import { count, durationText, moodOf, percent } from "../wording";

interface Props {
  journey: Journey;
  arriving: boolean;
}

export function Summary({ journey, arriving }: Props) {
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
        <time dateTime={journey.started_at}>{new Date(journey.started_at).toLocaleString()}</time>
        <code class="id">{journey.trace_id}</code>
      </p>
      {!whole && <Broken journey={journey} arriving={arriving} />}
    </section>
  );
}

function PartsBar({ parts }: { parts: Part[] }) {
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

function Broken({ journey, arriving }: Props) {
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
