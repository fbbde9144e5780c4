import "./standing.css";

import type { Tone } from "../model/orderStates";

/** An order's status as a badge. */
export function Standing({ label, tone }: { label: string; tone: Tone }) {
  return <span class={`standing ${tone}`}>{label}</span>;
}
