/** The title of a trace: its subject, such as "Order 7f3a", or its root span's name. */
import type { Tone } from "../api/types";
import { stateOf, subjectOf } from "../promoted";

export function TraceTitle({ trace }: { trace: { root: string | null } }) {
  const subject = subjectOf(trace);
  if (subject === null) return <>{trace.root ?? "Trace"}</>;
  return (
    <>
      {subject.label} <span class="id">{subject.value}</span>
    </>
  );
}

/** The state that a trace's subject reached, if it is known, coloured if it is final. */
export function StateChip({ trace }: { trace: { state_tone: Tone | null } }) {
  const state = stateOf(trace);
  return state === null ? null : (
    <span class={`chip subject-state ${trace.state_tone ?? ""}`}>{state}</span>
  );
}
