/** The legend of the waterfall's colours and marks, and its keyboard shortcuts. */
import "./legend.css";
import type { Party, Trace } from "../../api/types";

const PARTIES: Party[] = ["page", "rules", "function", "vendor", "service"];

export function Legend({ trace }: { trace: Trace }) {
  const { rows } = trace;
  const present = PARTIES.filter((party) => rows.some((row) => row.party === party));
  const vendor = rows.find((row) => row.party === "vendor")?.service;
  return (
    <ul class="legend" aria-label="Legend">
      {present.map((party) => (
        <li key={party} class={party}>
          <span class="swatch" />
          {party === "vendor" ? vendor : party}
        </li>
      ))}
      {rows.some((row) => row.wait) && (
        <li title="Sent but not yet received, such as time in a queue">
          <span class="swatch wait" />
          waiting
        </li>
      )}
      {trace.critical_path.length > 0 && (
        <li title="The chain of work and waiting that determined the duration of the trace">
          <span class="swatch path" />
          critical path
        </li>
      )}
      {rows.some((row) => row.logs.length + row.events.length > 0) && (
        <li>
          <span class="swatch dot" />
          log or event
        </li>
      )}
    </ul>
  );
}

export function KeyboardHints() {
  return (
    <p class="hint">
      <kbd>↑</kbd> <kbd>↓</kbd> move · <kbd>←</kbd> <kbd>→</kbd> collapse, expand · <kbd>Enter</kbd>{" "}
      details · <kbd>[</kbd> <kbd>]</kbd> errors · <kbd>/</kbd> find · <kbd>l</kbd> log lines ·{" "}
      <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom · <kbd>Esc</kbd> close
    </p>
  );
}
