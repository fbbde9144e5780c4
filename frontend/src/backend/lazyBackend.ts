/** A page's backend module, which loads beside the first paint without delaying it. */
export interface LazyBackend<T> {
  /** Rejects if the module cannot be loaded. */
  backend: Promise<T>;
  /**
   * Calls `subscribe` once the backend is loaded.
   *
   * @param fail is called with the error if loading fails.
   * @returns a function that ends the subscription, or prevents it while the backend is loading.
   */
  withBackend(subscribe: (loaded: T) => () => void, fail: (error: Error) => void): () => void;
}

export function lazyBackend<T>(backend: Promise<T>): LazyBackend<T> {
  return {
    backend,
    withBackend(subscribe, fail) {
      let unsubscribe: (() => void) | undefined;
      let stopped = false;
      backend.then((loaded) => {
        if (!stopped) unsubscribe = subscribe(loaded);
      }, fail);
      return () => {
        stopped = true;
        unsubscribe?.();
      };
    },
  };
}
