/**
 * What a trace is about, such as an order, and the state that came to.
 *
 * Which attributes the server promotes to fields of a trace, and under which names, is its
 * configuration. The explorer recognises them by the ends of their names, `_id` and `_state`, and
 * takes its labels from the rest; without such fields it shows traces by their root span.
 */

export interface Promoted {
  /** The label of the subject: `Order` for a field `order_id`. */
  label: string;
  value: string;
}

/** Return what a trace is about, or null if the server promotes no such attribute or it is unset. */
export function subjectOf(trace: object): Promoted | null {
  return promotedBy(trace, "_id");
}

/** Return the state that a trace's subject came to, or null if there is none. */
export function stateOf(trace: object): string | null {
  return promotedBy(trace, "_state")?.value ?? null;
}

function promotedBy(trace: object, ending: string): Promoted | null {
  for (const [name, value] of Object.entries(trace)) {
    if (name === "trace_id" || !name.endsWith(ending) || typeof value !== "string") continue;
    if (value === "") continue;
    const words = name.slice(0, -ending.length).replaceAll("_", " ");
    return { label: words.charAt(0).toUpperCase() + words.slice(1), value };
  }
  return null;
}
