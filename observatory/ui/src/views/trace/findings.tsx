/** Findings of the Observatory: clock skew, truncation, and steps that are missing or unusual. */
import "./findings.css";
import type { ComponentChildren } from "preact";
import type { Finding, MissingStep, SkewedClock, Step, Trace, Unusual } from "../../api/types";
import { count, durationText, withoutPackage } from "../../format";
import { stateOf } from "../../promoted";
import { shareText } from "./waterfall_row";

// Further steps are collapsed, so that the list stays short.
const STEPS_SHOWN = 4;

interface WarningsProps {
  trace: Trace;
  correctSkew: boolean;
  onCorrectSkew: (correct: boolean) => void;
  onSelect: (spanId: string) => void;
}

/** Warnings about the trace as a whole. */
export function Warnings({ trace, correctSkew, onCorrectSkew, onSelect }: WarningsProps) {
  const clocks = trace.skew?.services ?? [];
  return (
    <>
      {clocks.length > 0 && (
        <Skew clocks={clocks} correct={correctSkew} onCorrect={onCorrectSkew} />
      )}
      {trace.findings.length > 0 && <Findings findings={trace.findings} onSelect={onSelect} />}
      {trace.truncated && (
        <p class="banner warn">
          <b>The trace is truncated.</b> It has more spans than the explorer shows. Export it to get
          all of them.
        </p>
      )}
    </>
  );
}

function Findings({
  findings,
  onSelect,
}: {
  findings: Finding[];
  onSelect: (spanId: string) => void;
}) {
  const items = findings.map((finding) => (
    <li key={`${finding.kind} ${finding.span_id}`}>
      <button type="button" class="as-link" onClick={() => onSelect(finding.span_id)}>
        {finding.text}
      </button>
      .
    </li>
  ));
  const more = items.slice(STEPS_SHOWN);
  return (
    <section class="finding warn" aria-label="Looks healthy, and is probably not">
      <h2>Looks healthy, and is probably not</h2>
      <ul>{items.slice(0, STEPS_SHOWN)}</ul>
      {more.length > 0 && (
        <details>
          <summary>{more.length} more</summary>
          <ul>{more}</ul>
        </details>
      )}
    </section>
  );
}

function Skew({
  clocks,
  correct,
  onCorrect,
}: {
  clocks: SkewedClock[];
  correct: boolean;
  onCorrect: (correct: boolean) => void;
}) {
  return (
    <section class="finding warn" aria-label="Clocks">
      <label class="switch">
        <input
          type="checkbox"
          checked={correct}
          onChange={(event) => onCorrect(event.currentTarget.checked)}
        />
        Correct clock skew
      </label>
      <h2>{clocks.length === 1 ? "A clock is wrong" : `${clocks.length} clocks are wrong`}</h2>
      <ul>
        {clocks.map((clock) => (
          <li key={clock.service}>
            The clock of <b>{clock.service}</b> is {durationText(Math.abs(clock.offset_ms))}{" "}
            {clock.offset_ms < 0 ? "behind" : "ahead"}.{" "}
            <span class="evidence">{clock.evidence}</span>
          </li>
        ))}
      </ul>
      <p>
        {correct
          ? "The times below are corrected; the durations are as recorded."
          : "The times below are as recorded."}
      </p>
    </section>
  );
}

interface UnusualStepsProps {
  trace: Trace;
  unusual: Unusual;
  /** The missing steps that have a row in the waterfall. */
  gaps: readonly MissingStep[];
  onSelect: (id: string) => void;
}

/** The steps that are missing, repeated or added compared with traces that began the same way. */
export function UnusualSteps({ trace, unusual, gaps, onSelect }: UnusualStepsProps) {
  const { compared_with, same_state, weak_baseline, missing, repeated, added } = unusual;
  const steps = [
    ...gaps.map((step, index) => (
      <StepItem key={keyOf(step)} hop={step} onGo={() => onSelect(`gap:${index}`)}>
        is <b>missing</b>; {shareText(step.usual_share)} have it
      </StepItem>
    )),
    ...repeated.map((hop) => (
      <StepItem key={keyOf(hop)} hop={hop} onGo={goTo(trace, hop, onSelect)}>
        ran <b>{times(hop.times)}</b>, usually {times(hop.usual_times)}
      </StepItem>
    )),
    ...added.map((step) => (
      <StepItem key={keyOf(step)} hop={step} onGo={goTo(trace, step, onSelect)}>
        is present, but <b>usually is not</b>
      </StepItem>
    )),
  ];
  const more = steps.slice(STEPS_SHOWN);
  const state = stateOf(trace);
  const missingCalls = missing.length - gaps.length;
  return (
    <section class="unusual-steps" aria-label="Unusual">
      <h2>Unusual</h2>
      <p>
        Compared with {count(compared_with, "recent trace")} that began the same way
        {same_state && state !== null && ` and ended ${state}`}:
      </p>
      {weak_baseline && (
        <p class="banner warn">
          <b>Weak baseline.</b> Most of these traces have errors, lost their context or ended badly,
          so what is usual in them may be wrong.
        </p>
      )}
      <ul>{steps.slice(0, STEPS_SHOWN)}</ul>
      {more.length > 0 && (
        <details>
          <summary>{more.length} more</summary>
          <ul>{more}</ul>
        </details>
      )}
      {missingCalls > 0 && (
        <p>
          {count(missingCalls, "step")} that would have followed {missingCalls === 1 ? "is" : "are"}{" "}
          missing too.
        </p>
      )}
    </section>
  );
}

interface StepItemProps {
  hop: Step;
  onGo: (() => void) | null;
  children: ComponentChildren;
}

function StepItem({ hop, onGo, children }: StepItemProps) {
  const short = withoutPackage(hop.name);
  const name = hop.service === hop.name ? hop.name : `${hop.service} ${short}`;
  return (
    <li>
      {onGo ? (
        <button type="button" class="as-link" onClick={onGo}>
          {name}
        </button>
      ) : (
        name
      )}
      {hop.hop && <span class="soft"> by {hop.hop}</span>} {children}.
    </li>
  );
}

function goTo(trace: Trace, hop: Step, onSelect: (id: string) => void) {
  const row = trace.rows.find(
    (one) => one.hop === hop.hop && one.service === hop.service && one.name === hop.name,
  );
  return row ? () => onSelect(row.span_id) : null;
}

function keyOf(hop: Step): string {
  return `${hop.hop}/${hop.service}/${hop.name}`;
}

function times(number: number): string {
  if (number === 1) return "once";
  return number === 2 ? "twice" : `${Number(number.toFixed(1))} times`;
}
