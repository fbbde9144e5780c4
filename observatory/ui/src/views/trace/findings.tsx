/** What the Observatory noticed by itself: clocks that disagree, hops that are missing or too many. */
import "./findings.css";
import type { ComponentChildren } from "preact";
import type { MissingStep, SkewedClock, Step, Trace, Unusual } from "../../api/types";
import { count, durationText, withoutPackage } from "../../format";
import { shareText } from "./waterfall_row";

// More is a list that nobody reads before the waterfall.
const SHOWN = 4;

interface NoticesProps {
  trace: Trace;
  correctSkew: boolean;
  onCorrectSkew: (correct: boolean) => void;
}

/** What has to be known before one reads the times. */
export function Notices({ trace, correctSkew, onCorrectSkew }: NoticesProps) {
  const clocks = trace.skew?.services ?? [];
  return (
    <>
      {clocks.length > 0 && (
        <Skew clocks={clocks} correct={correctSkew} onCorrect={onCorrectSkew} />
      )}
      {trace.truncated && (
        <p class="banner warn">
          <b>Not all of it.</b> The trace has more spans than are shown here. Export it to have them
          all.
        </p>
      )}
    </>
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
        Correct the times
      </label>
      <h2>{clocks.length === 1 ? "A clock is off" : `${clocks.length} clocks are off`}</h2>
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

interface ShapeProps {
  trace: Trace;
  unusual: Unusual;
  /** The missing steps that have a row in the waterfall. */
  gaps: readonly MissingStep[];
  onChoose: (id: string) => void;
}

/** What is missing, too often here, or added, beside traces that began the same way. */
export function UnusualSteps({ trace, unusual, gaps, onChoose }: ShapeProps) {
  const { compared_with, same_state, missing, repeated, added } = unusual;
  const found = [
    ...gaps.map((step, index) => (
      <Hop key={keyOf(step)} hop={step} onGo={() => onChoose(`gap:${index}`)}>
        is <b>missing</b>; {shareText(step.usual_share)} have it
      </Hop>
    )),
    ...repeated.map((hop) => (
      <Hop key={keyOf(hop)} hop={hop} onGo={goTo(trace, hop, onChoose)}>
        ran <b>{times(hop.times)}</b>; usual is {times(hop.usual_times)}
      </Hop>
    )),
    ...added.map((step) => (
      <Hop key={keyOf(step)} hop={step} onGo={goTo(trace, step, onChoose)}>
        is here, and <b>usually isn't</b>
      </Hop>
    )),
  ];
  const more = found.slice(SHOWN);
  const called = missing.length - gaps.length;
  return (
    <section class="shape" aria-label="Not as usual">
      <h2>Not as usual</h2>
      <p>
        Beside {count(compared_with, "recent trace")} that began the same way
        {same_state && trace.order_state && ` and ended ${trace.order_state}`}:
      </p>
      <ul>{found.slice(0, SHOWN)}</ul>
      {more.length > 0 && (
        <details>
          <summary>{more.length} more</summary>
          <ul>{more}</ul>
        </details>
      )}
      {called > 0 && (
        <p>
          {count(called, "call")} inside of what is missing {called === 1 ? "is" : "are"} missing
          too.
        </p>
      )}
    </section>
  );
}

interface HopProps {
  hop: Step;
  onGo: (() => void) | null;
  children: ComponentChildren;
}

function Hop({ hop, onGo, children }: HopProps) {
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

function goTo(trace: Trace, hop: Step, onChoose: (id: string) => void) {
  const row = trace.rows.find(
    (one) => one.hop === hop.hop && one.service === hop.service && one.name === hop.name,
  );
  return row ? () => onChoose(row.span_id) : null;
}

function keyOf(hop: Step): string {
  return `${hop.hop}/${hop.service}/${hop.name}`;
}

function times(number: number): string {
  if (number === 1) return "once";
  return number === 2 ? "twice" : `${Number(number.toFixed(1))} times`;
}
