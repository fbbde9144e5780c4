/** The app's bugs on purpose, as `GET /api/faults` says, and how they are turned on and off. */
import { ask } from "./ask";

/**
 * `on` is null where nobody knows, or where there is nothing to turn: a fault with a `link` is on
 * in the page that is opened there, and nowhere else.
 */
export interface Fault {
  name: string;
  kind: string;
  where: string;
  summary: string;
  scenarios: string[];
  on: boolean | null;
  link: string | null;
}

/** `connected` is false where the Observatory runs alone; `unreachable` says why no flag is known. */
export interface Faults {
  connected: boolean;
  unreachable: string | null;
  faults: Fault[];
}

export function fetchFaults(signal: AbortSignal): Promise<Faults> {
  return ask("/api/faults", signal);
}

/** Turns one fault on or off; returns all, as they are then. */
export function turnFault(name: string, on: boolean): Promise<Faults> {
  return ask(`/api/faults/${name}`, new AbortController().signal, { on }, "PUT");
}

/** Turns every fault off; returns all, as they are then. */
export function turnAllOff(): Promise<Faults> {
  return ask("/api/faults", new AbortController().signal, { on: false }, "PUT");
}
