/**
 * Posts OTLP in JSON to one address, for spans or for log records.
 *
 * A busy endpoint is tried once more. One that answers 204 with `Retry-After` is switched off:
 * nothing is sent to it for that time, so that pages in caches follow a switch on the server.
 */

/** Where to post. */
export interface OtlpTarget {
  /** Full address, `/v1/…` included; may be relative to the page. If empty, nothing is sent. */
  url: string;
  timeoutMs: number;
  /** Headers besides the content type, such as a proof that the request comes from this page. */
  headers?: (() => Promise<Record<string, string>>) | undefined;
}

/** How long a post waits for a busy endpoint at most. */
export const RETRY_MAX_MS = 10_000;
const RETRY_MS = 1_000;
// OTLP's retryable statuses.
const RETRYABLE = new Set([429, 502, 503, 504]);
// Browsers refuse more than 64 KiB at a time of requests that outlive their page, for all together.
const KEEPALIVE_MAX_BYTES = 60_000;
let keepaliveBytes = 0;

export class OtlpSender {
  /** Until when the endpoint is switched off, and until when it is busy; `Date.now()`. */
  private offUntil = 0;
  private busyUntil = 0;

  constructor(private readonly target: OtlpTarget) {}

  /**
   * Posts an export request. Resolves once it is accepted, or unsent to an endpoint that is off.
   *
   * @throws Error if it is lost.
   */
  async send(body: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let isRetry = false; ; isRetry = true) {
      const now = Date.now();
      if (!this.target.url || now < this.offUntil) return;
      const waitMs = this.busyUntil - now;
      if (waitMs > RETRY_MAX_MS) throw new Error("the endpoint is busy");
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      const { status, retryAfterMs, error } = await this.post(body);
      if (status === 204 && retryAfterMs) this.offUntil = Date.now() + retryAfterMs;
      if (status >= 200 && status < 300) return;
      const isRetryable = status === 0 || RETRYABLE.has(status);
      if (isRetryable) this.busyUntil = Date.now() + (retryAfterMs || RETRY_MS);
      if (!isRetryable || isRetry) throw error ?? new Error(`HTTP ${status}`);
    }
  }

  /** Returns the response's status, or 0 and the error if there was none. */
  private async post(
    body: Uint8Array<ArrayBuffer>,
  ): Promise<{ status: number; retryAfterMs: number; error?: Error }> {
    const { url, timeoutMs, headers } = this.target;
    const keepalive = keepaliveBytes + body.length <= KEEPALIVE_MAX_BYTES;
    if (keepalive) keepaliveBytes += body.length;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(await headers?.()) },
        body,
        keepalive,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const { status } = response;
      const retryAfterMs = Number(response.headers.get("retry-after")) * 1000 || 0;
      // Chromium counts the request against the limit until its body is read.
      await response.arrayBuffer().catch(() => {});
      return { status, retryAfterMs };
    } catch (error) {
      return { status: 0, retryAfterMs: 0, error: error as Error };
    } finally {
      if (keepalive) keepaliveBytes -= body.length;
    }
  }
}
