/** The app's faults, kept up to date for the whole frame. */
import { useLayoutEffect, useState } from "preact/hooks";
import { fetchFaults } from "../api/requests";
import type { Faults } from "../api/types";
import { type Live, usePolling } from "./polling";

/** Somebody else may turn one on: that shows after so long. */
const PAUSE_MS = 2_000;

export interface FaultFlags extends Live<Faults> {
  /** Takes an answer that came otherwise, and asks again soon. */
  take: (answer: Faults) => void;
}

export function useFaultFlags(): FaultFlags {
  const [taken, setTaken] = useState<{ turn: number; answer: Faults | null }>({
    turn: 0,
    answer: null,
  });
  const live = usePolling(`faults ${taken.turn}`, fetchFaults, () => PAUSE_MS, true);
  // What was taken is newer than what was asked for before, until the next answer.
  useLayoutEffect(() => setTaken((before) => ({ ...before, answer: null })), [live.answer]);
  return {
    answer: taken.answer ?? live.answer,
    failure: live.failure,
    take: (answer) => setTaken((before) => ({ turn: before.turn + 1, answer })),
  };
}
