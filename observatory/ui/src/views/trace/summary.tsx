/** The summary of a trace: subject, state, time by activity, counts, and lost context. */
import "./summary.css";
import type { TimeShare, Trace, Unusual } from "../../api/types";
import { StateChip, TraceTitle } from "../../components/trace_title";
import { count, durationText, fullMoment, percent } from "../../format";
import { unusualCount } from "./waterfall_items";

interface Props {
  trace: Trace;
  unusual: Unusual | null;
  arriving: boolean;
  /** Called to show what is unusual. */
  onShowUnusual: () => void;
}

export function Summary({ trace, unusual, arriving, onShowUnusual }: Props) {
  // A span is exported when it ends, so a parent often arrives after its children.
  const orphans = trace.awaiting > 0 ? 0 : trace.orphans;
  const coverage = (trace.covered + trace.awaiting) / trace.spans;
  const isComplete = coverage === 1 && orphans === 0;
  return (
    <section class="summary panel" aria-label="Summary">
      <div class="headline">
        <h1>
          <TraceTitle trace={trace} />
        </h1>
        <StateChip trace={trace} />
        <span class={`chip arriving ${arriving ? "" : "idle"}`} aria-live="polite">
          {arriving && (
            <>
              <span class="pulse" aria-hidden="true" /> still arriving
            </>
          )}
        </span>
      </div>
      <p class="headline-text">
        <b>{trace.headline}</b>
        {trace.summary && <>: {trace.summary}</>}
      </p>
      <TimeShares shares={trace.parts} />
      <p class="facts">
        <span>{count(trace.services.length, "service")}</span>
        <span>{count(trace.spans, "span")}</span>
        <span class={trace.errors ? "bad" : ""}>{count(trace.errors, "error")}</span>
        <span class={orphans ? "warn" : ""}>{count(orphans, "orphan")}</span>
        {trace.awaiting > 0 && (
          <span title={trace.missing_parents.join(", ")}>
            {count(trace.missing_parents.length, "parent")} not here yet
          </span>
        )}
        <span class={isComplete ? "good" : "warn"}>coverage {percent(coverage)}</span>
        <time dateTime={trace.started_at}>{fullMoment(new Date(trace.started_at))}</time>
        <code class="id">{trace.trace_id}</code>
        <UnusualFact unusual={unusual} onShowUnusual={onShowUnusual} />
      </p>
      {!isComplete && <ContextLoss trace={trace} arriving={arriving} />}
    </section>
  );
}

/** The number of unusual steps. It is the last fact, because its request is answered later. */
function UnusualFact({ unusual, onShowUnusual }: Pick<Props, "unusual" | "onShowUnusual">) {
  const steps = unusual === null ? 0 : unusualCount(unusual);
  return (
    <span class="unusual-fact" role="status">
      {steps > 0 ? (
        <button type="button" class="as-link" onClick={onShowUnusual}>
          {steps} unusual
        </button>
      ) : unusual === null ? (
        ""
      ) : unusual.compared_with > 0 ? (
        <span class="good">nothing unusual</span>
      ) : (
        "no traces to compare with"
      )}
    </span>
  );
}

function TimeShares({ shares }: { shares: TimeShare[] }) {
  const total = shares.reduce((sum, share) => sum + share.duration_ms, 0);
  if (total === 0) return null;
  return (
    <div class="time-shares" aria-hidden="true">
      {shares
        .filter((share) => share.duration_ms > 0)
        .map((share) => (
          <span
            key={share.where}
            class={`time-share ${share.where}`}
            style={{ width: `${(share.duration_ms / total) * 100}%` }}
            title={`${durationText(share.duration_ms)} ${share.label}`}
          />
        ))}
    </div>
  );
}

/** A banner that says why spans are not connected to a root. */
function ContextLoss({ trace, arriving }: Pick<Props, "trace" | "arriving">) {
  const lost = trace.spans - trace.covered;
  const missing = trace.missing_parents.length;
  return (
    <p class="banner warn" role="status">
      <b>{count(lost, "span")} not connected to a root.</b>{" "}
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
          {arriving ? "It may still arrive." : "It was lost or never sent."}
        </>
      ) : (
        "A span should have received a context and did not, so a hop has lost the context."
      )}
    </p>
  );
}
