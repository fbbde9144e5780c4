/** What the Observatory says about itself, as `observatory/shapes/health.py` says. */
import { ask } from "./ask";

/** How source lines are opened: the folder they are in, and the editor's address. */
export interface Editor {
  source_root?: string | null;
  editor?: string | null;
}

export interface Health extends Editor {
  /** Catching up: of what was stored before the start, `digested_spans` are in the answers. */
  status: "ok" | "catching up";
  spans: number;
  digested_spans: number;
  traces: number;
}

export function fetchHealth(signal: AbortSignal): Promise<Health> {
  return ask("/api/health", signal);
}
