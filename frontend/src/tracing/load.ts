/** Loads the tracing chunk beside the first paint, and waits for it for a limited time. */
import { settings } from "../settings";
import { type Tracing, untraced } from "./tracing";

// Long enough for a slow phone to fetch the chunk, short enough that buyers do not give up.
const WAIT_MS = 3_000;

const loading: Promise<Tracing> = import("./index").then(
  ({ startBoxOfficeTracing }) => startBoxOfficeTracing(settings, __SERVICE_VERSION__),
  (error: unknown) => {
    console.warn("The tracing code could not be loaded; this page view is not traced.", error);
    return untraced;
  },
);

/** The page's tracing, or `untraced` if it is not loaded within three seconds. Never rejects. */
export function tracing(): Promise<Tracing> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const givingUp = new Promise<Tracing>((resolve) => {
    timer = setTimeout(() => resolve(untraced), WAIT_MS);
  });
  return Promise.race([loading, givingUp]).finally(() => clearTimeout(timer));
}

/** Call `action` with the tracing once it is loaded, however late. Returns at once. */
export function withTracing(action: (loaded: Tracing) => void): void {
  void loading.then(action);
}
