/** The title of a trace: its subject, such as "Order 7f3a", or its root span's name. */
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

/** The final state of a trace's subject, if it is known. */
export function StateChip({ trace }: { trace: object }) {
  const state = stateOf(trace);
  return state === null ? null : <span class="chip subject-state">{state}</span>;
}
