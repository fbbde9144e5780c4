/** The headers that prove to the site's relay that telemetry comes from this page: App Check's. */

type Headers = () => Promise<Record<string, string>>;

// Longer than App Check takes for its first token, on a slow phone too.
const WAIT_MS = 8_000;

let provide: (headers: Headers) => void;
const provided = new Promise<Headers>((resolve) => {
  provide = resolve;
});

/** Send these headers with telemetry, which waits for them. */
export function proveTelemetry(headers: Headers): void {
  provide(headers);
}

/** The headers, or none if there are none within eight seconds: the relay then refuses. */
export async function proof(): Promise<Record<string, string>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const givingUp = new Promise<Record<string, string>>((resolve) => {
    timer = setTimeout(() => resolve({}), WAIT_MS);
  });
  const headers = provided.then((now) => now()).catch(() => ({}));
  return Promise.race([headers, givingUp]).finally(() => clearTimeout(timer));
}
