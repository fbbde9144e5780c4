import { useMemo } from "preact/hooks";
import { type Feed, type Subscribe, useFeed } from "../../../components/useFeed";
import type { Ticket } from "../../../model/ticket";
import { withBackend } from "../backend";

/** The tickets of `uid`, live and newest first; loading while there is no buyer. */
export function useTickets(uid: string | null): Feed<Ticket> {
  const subscribe = useMemo<Subscribe<Ticket> | null>(
    () =>
      uid === null
        ? null
        : (report, fail) => withBackend((backend) => backend.watchTickets(uid, report, fail), fail),
    [uid],
  );
  return useFeed(subscribe);
}
