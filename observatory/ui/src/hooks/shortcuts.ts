/** Single keys that do something wherever one is, and what each view's keys are. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { storedChoice } from "./stored_choice";

/** Keys as the help shows them, and what they do. */
export const SHORTCUTS: { where: string; keys: [keys: string[], does: string][] }[] = [
  {
    where: "Everywhere",
    keys: [
      [["/"], "go to the filter"],
      [["p"], "pause, or go live again"],
      [["c"], "copy a link to what is shown"],
      [["g", "o"], "the overview"],
      [["g", "m"], "the map"],
      [["g", "l"], "the logs"],
      [["g", "f"], "the faults"],
      [["?"], "this help"],
    ],
  },
  {
    where: "Heatmap",
    keys: [
      [["←", "↑", "↓", "→"], "go from cell to cell"],
      [["Shift", "arrow"], "grow the box"],
      [["Enter"], "compare what is in the box"],
      [["Esc"], "clear the box"],
    ],
  },
  {
    where: "One trace",
    keys: [
      [["/"], "find in it"],
      [["↑", "↓"], "go from row to row"],
      [["←", "→"], "collapse, expand; go to what caused it"],
      [["Enter"], "read the details"],
      [["[", "]"], "the error before, the next"],
      [["l"], "log lines and events of a row"],
      [["+", "−", "0"], "zoom in, zoom out, see all"],
    ],
  },
  {
    where: "List of traces",
    keys: [
      [["↑", "↓"], "go from trace to trace"],
      [["Enter"], "open one"],
      [["x"], "choose it, to compare it with another"],
    ],
  },
];

/** Whether single keys do anything; some people's input would set them off by mistake. */
export const singleKeys = storedChoice("observatory.single-keys", ["on", "off"] as const, "on");

const CHORD_MS = 1_500;
let lead = { key: "", at: 0 };

/**
 * Runs a function when its key is pressed outside of a field; `g o` is one key after the other.
 *
 * @param actions by `event.key`.
 */
export function useShortcuts(actions: Record<string, () => void>): void {
  const latest = useRef(actions);
  latest.current = actions;
  // An effect runs after the paint: whoever presses a key as soon as they see the view would lose it.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (singleKeys.get() === "off" || isField(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      const recent = event.timeStamp - lead.at < CHORD_MS ? `${lead.key} ${event.key}` : "";
      const action = latest.current[recent] ?? latest.current[event.key];
      if (action === undefined) {
        if (event.key === "g") lead = { key: "g", at: event.timeStamp };
        return;
      }
      event.preventDefault();
      lead = { key: "", at: 0 };
      action();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("input:not([type=checkbox]), textarea, select");
}
