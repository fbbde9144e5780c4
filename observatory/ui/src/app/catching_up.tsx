/** Says so while the Observatory hasn't yet read all that it held when it started. */
import { fetchHealth } from "../api/requests";
import { usePolling } from "../hooks/polling";

const BUSY_PAUSE_MS = 1_000;
// It may be started again under an open page.
const PAUSE_MS = 60_000;

export function CatchingUp() {
  const { answer } = usePolling("health", fetchHealth, (health) =>
    health?.status === "catching up" ? BUSY_PAUSE_MS : PAUSE_MS,
  );
  if (answer?.status !== "catching up") return null;
  const [read, all] = [answer.digested_spans, answer.spans].map((spans) =>
    spans.toLocaleString("en"),
  );
  return (
    <p class="banner catching-up" role="status">
      <span class="pulse" aria-hidden="true" /> Catching up after its start: {read} of {all} spans
      are counted so far.
    </p>
  );
}
