/** A banner while the Observatory is still reading what was stored before it started. */
import { fetchHealth } from "../api/requests";
import { usePolling } from "../hooks/polling";

const BUSY_PAUSE_MS = 1_000;
// The Observatory may be restarted while the page is open.
const PAUSE_MS = 60_000;

export function CatchingUp() {
  const { answer } = usePolling("health", fetchHealth, (health) =>
    health?.status === "catching up" ? BUSY_PAUSE_MS : PAUSE_MS,
  );
  if (answer?.status !== "catching up") return null;
  const [digested, stored] = [answer.digested_spans, answer.spans].map((spans) =>
    spans.toLocaleString("en"),
  );
  return (
    <p class="banner catching-up" role="status">
      <span class="pulse" aria-hidden="true" /> The Observatory is catching up after a restart:{" "}
      {digested} of {stored} stored spans are included so far.
    </p>
  );
}
