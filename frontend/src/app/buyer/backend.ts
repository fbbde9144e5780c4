/** Starts loading Firebase at once, without making the first paint wait for it. */
import { whenLoaded } from "../../backend/whenLoaded";

export type Backend = typeof import("../../backend/buyer/index");

export const backend: Promise<Backend> = import("../../backend/buyer/index");

/** Calls `begin` once Firebase is there; the function returned stops what it began, or prevents it. */
export function withBackend(
  begin: (loaded: Backend) => () => void,
  fail: (error: Error) => void,
): () => void {
  return whenLoaded(backend, begin, fail);
}
