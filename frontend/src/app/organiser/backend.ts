/** Starts loading Firebase at once, without making the first paint wait for it. */
import { whenLoaded } from "../../backend/whenLoaded";

export type OrganiserBackend = typeof import("../../backend/organiser/index");

export const backend: Promise<OrganiserBackend> = import("../../backend/organiser/index");

/** Calls `begin` once Firebase is there; the function returned stops what it began, or prevents it. */
export function withBackend(
  begin: (loaded: OrganiserBackend) => () => void,
  fail: (error: Error) => void,
): () => void {
  return whenLoaded(backend, begin, fail);
}
