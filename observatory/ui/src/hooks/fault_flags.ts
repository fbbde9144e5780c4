/** The state of the app's faults, polled once for the whole page. */
import { useLayoutEffect, useState } from "preact/hooks";
import { fetchFaults } from "../api/requests";
import type { Faults } from "../api/types";
import { type Polled, usePolling } from "./polling";

/** A change made elsewhere, in another page or by a command, is shown after at most this time. */
const PAUSE_MS = 2_000;

export interface FaultFlags extends Polled<Faults> {
  /** Show the server's answer to a change at once, and poll again. */
  update: (answer: Faults) => void;
}

/** Return the faults and their flags, and render again when they change. */
export function useFaultFlags(): FaultFlags {
  const [updated, setUpdated] = useState<{ version: number; answer: Faults | null }>({
    version: 0,
    answer: null,
  });
  const polled = usePolling(`faults ${updated.version}`, fetchFaults, () => PAUSE_MS, true);
  // An update is newer than any request sent before it, so it stays until the next answer.
  useLayoutEffect(() => setUpdated((before) => ({ ...before, answer: null })), [polled.answer]);
  return {
    answer: updated.answer ?? polled.answer,
    failure: polled.failure,
    update: (answer) => setUpdated((before) => ({ version: before.version + 1, answer })),
  };
}
