/** Starts loading Firebase at once, without making the first paint wait for it. */
export type Backend = typeof import("./index");

export const backend: Promise<Backend> = import("./index");

/** Calls `begin` once Firebase is there; the function returned stops what it began, or prevents it. */
export function withBackend(
  begin: (loaded: Backend) => () => void,
  fail: (error: Error) => void,
): () => void {
  let stop: (() => void) | undefined;
  let stopped = false;
  backend.then((loaded) => {
    if (!stopped) stop = begin(loaded);
  }, fail);
  return () => {
    stopped = true;
    stop?.();
  };
}
