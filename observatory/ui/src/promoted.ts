/**
 * The subject of a trace, such as an order, and its final state.
 *
 * The server's configuration says which span attributes it promotes to fields of a trace, and under
 * which names. The explorer recognises these fields by their suffixes, `_id` and `_state`, and makes
 * the label from the rest of the name. Traces without such fields are shown by their root span.
 */

export interface Promoted {
  /** The label of the subject: `Order` for a field `order_id`. */
  label: string;
  value: string;
}

/** Return the subject of a trace; null if the server promotes no such attribute or it is unset. */
export function subjectOf(trace: object): Promoted | null {
  return promotedField(trace, "_id");
}

/** Return the final state of a trace's subject; null if no such attribute is promoted or set. */
export function stateOf(trace: object): string | null {
  return promotedField(trace, "_state")?.value ?? null;
}

function promotedField(trace: object, suffix: string): Promoted | null {
  for (const [name, value] of Object.entries(trace)) {
    if (name === "trace_id" || !name.endsWith(suffix) || typeof value !== "string") continue;
    if (value === "") continue;
    const words = name.slice(0, -suffix.length).replaceAll("_", " ");
    return { label: words.charAt(0).toUpperCase() + words.slice(1), value };
  }
  return null;
}
