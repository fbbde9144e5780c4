import { useMemo } from "preact/hooks";
import { type Feed, type Subscribe, useFeed } from "../page/useFeed";
import type { Ticket } from "./ticket";

/** The tickets of `uid`, live and newest first; loading while there is no buyer. */
export function useTickets(uid: string | null): Feed<Ticket> {
  const subscribe = useMemo<Subscribe<Ticket> | null>(
    () =>
      uid === null ? null : (backend, report, fail) => backend.watchTickets(uid, report, fail),
    [uid],
  );
  return useFeed(subscribe);
}
