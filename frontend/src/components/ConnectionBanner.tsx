import { useEffect, useState } from "preact/hooks";

interface Props {
  online: boolean;
  connected: boolean;
  /** What is not possible without a network, such as "Buying is paused". */
  paused: string;
}

// A connection that is back within this time is not worth a message.
const PATIENCE_MS = 2_000;

/** Says that the page may be out of date and recovers automatically. */
export function ConnectionBanner({ online, connected, paused }: Props) {
  const [lost, setLost] = useState(false);
  useEffect(() => {
    if (connected) {
      setLost(false);
      return undefined;
    }
    const timer = setTimeout(() => setLost(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [connected]);

  const message = !online
    ? `You are offline. ${paused} until you are online again.`
    : lost
      ? "The box office can't be reached. Seats and orders may be out of date; retrying automatically."
      : null;
  return (
    <div class="banner-place" role="status" aria-live="polite">
      {message && (
        <p class="banner">
          <span class="banner-dot" aria-hidden="true" />
          {message}
        </p>
      )}
    </div>
  );
}
