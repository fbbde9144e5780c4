/** What a trace is called in headings: its subject, such as "Order 7f3a", or its root span. */
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

/** The state that a trace's subject came to, if any. */
export function StateChip({ trace }: { trace: object }) {
  const state = stateOf(trace);
  return state === null ? null : <span class="chip subject-state">{state}</span>;
}
