/** Single-key shortcuts, and the list of all shortcuts for the help. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { storedChoice } from "./stored_choice";

/** All shortcuts as the help lists them, by where they work. */
export const SHORTCUTS: { where: string; keys: [keys: string[], action: string][] }[] = [
  {
    where: "Everywhere",
    keys: [
      [["/"], "go to the filter"],
      [["p"], "pause, or resume live updates"],
      [["c"], "copy a link to this view"],
      [["g", "o"], "go to the overview"],
      [["g", "m"], "go to the map"],
      [["g", "l"], "go to the logs"],
      [["g", "f"], "go to the faults"],
      [["?"], "open this help"],
    ],
  },
  {
    where: "Heatmap",
    keys: [
      [["←", "↑", "↓", "→"], "move between cells"],
      [["Shift", "arrow"], "grow the box"],
      [["Enter"], "compare what is in the box"],
      [["Esc"], "clear the box"],
    ],
  },
  {
    where: "One trace",
    keys: [
      [["/"], "find in this trace"],
      [["↑", "↓"], "move between rows"],
      [["←", "→"], "collapse, expand; go to the parent"],
      [["Enter"], "go to the details"],
      [["[", "]"], "previous error, next error"],
      [["l"], "show a row's log lines and events"],
      [["+", "−", "0"], "zoom in, zoom out, reset the zoom"],
    ],
  },
  {
    where: "List of traces",
    keys: [
      [["↑", "↓"], "move between traces"],
      [["Enter"], "open a trace"],
      [["x"], "select a trace to compare"],
    ],
  },
];

/** Whether single-key shortcuts are enabled; speech input, for example, can trigger them by mistake. */
export const singleKeys = storedChoice("observatory.single-keys", ["on", "off"] as const, "on");

const CHORD_MS = 1_500;
let chordStart = { key: "", at: 0 };

/**
 * Run an action when its key is pressed outside of a text field.
 *
 * @param actions by `event.key`, or by two keys in sequence, such as `g o`.
 */
export function useShortcuts(actions: Record<string, () => void>): void {
  const latest = useRef(actions);
  latest.current = actions;
  // A layout effect: a plain one runs after the paint, and would miss a key pressed before it runs.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (singleKeys.get() === "off" || isField(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      const chord =
        event.timeStamp - chordStart.at < CHORD_MS ? `${chordStart.key} ${event.key}` : "";
      const action = latest.current[chord] ?? latest.current[event.key];
      if (action === undefined) {
        if (event.key === "g") chordStart = { key: "g", at: event.timeStamp };
        return;
      }
      event.preventDefault();
      chordStart = { key: "", at: 0 };
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
