/** Calls `begin` once `loading` is done; the function returned stops what it began, or prevents it. */
export function whenLoaded<T>(
  loading: Promise<T>,
  begin: (loaded: T) => () => void,
  fail: (error: Error) => void,
): () => void {
  let stop: (() => void) | undefined;
  let stopped = false;
  loading.then((loaded) => {
    if (!stopped) stop = begin(loaded);
  }, fail);
  return () => {
    stopped = true;
    stop?.();
  };
}
