/**
 * Hop 3: a call to a callable function, by the protocol that Firebase documents.
 *
 * Firebase's own `httpsCallable` takes no headers, and it calls `fetch` only after awaiting tokens:
 * the context of the click is lost by then, and a patched `fetch` could not tell two concurrent
 * calls apart. The protocol is public and small, so this implements it with headers of the
 * caller's. https://firebase.google.com/docs/functions/callable-reference
 */

/** A call that failed; `code` is the function's own, such as `permission-denied`. */
export class CallableError extends Error {
  override readonly name = "CallableError";

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface CallOptions {
  /** The caller's Firebase ID token; without one, the call is made signed out. */
  idToken?: string | undefined;
  /** Headers to send besides the protocol's own; this is where the trace context goes. */
  headers?: Readonly<Record<string, string>>;
  /** Is called with the HTTP status as soon as it is known. */
  answered?: (status: number) => void;
  timeoutMs: number;
}

/**
 * POSTs `data`, any JSON value, to the callable at `url`.
 *
 * @returns the function's result, unchecked.
 * @throws CallableError: the function's own code; `unavailable` if it could not be reached;
 * `deadline-exceeded` after `timeoutMs`; `internal` for a response that violates the protocol.
 */
export async function call(
  url: string,
  data: unknown,
  { idToken, headers, answered, timeoutMs }: CallOptions,
): Promise<unknown> {
  let response: Response;
  let answer: unknown;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: {
        ...headers,
        "content-type": "application/json",
        ...(idToken ? { authorization: `Bearer ${idToken}` } : {}),
      },
      body: JSON.stringify({ data }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    answered?.(response.status);
    answer = await response.json().catch((error: unknown) => {
      // A body that is not JSON is handled below; a body that never arrived is an error.
      if (error instanceof SyntaxError) return undefined;
      throw error;
    });
  } catch (cause) {
    throw (cause as { name?: unknown } | null)?.name === "TimeoutError"
      ? new CallableError("deadline-exceeded", `No answer within ${timeoutMs} ms.`, { cause })
      : new CallableError("unavailable", "The function cannot be reached.", { cause });
  }
  const { error, result } = (answer ?? {}) as { error?: ProtocolError; result?: unknown };
  if (error) {
    const status = typeof error.status === "string" ? error.status : "INTERNAL";
    throw new CallableError(
      status.toLowerCase().replaceAll("_", "-"),
      typeof error.message === "string" ? error.message : status,
    );
  }
  if (!response.ok || result === undefined) {
    throw new CallableError(
      codeOfStatus(response.status),
      `The function answered ${response.status} with neither a result nor an error.`,
    );
  }
  return result;
}

interface ProtocolError {
  status?: unknown;
  message?: unknown;
}

/** Returns the error code for a status that was not set by the function itself. */
function codeOfStatus(status: number): string {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "permission-denied";
  if (status === 404) return "not-found";
  if (status === 429) return "resource-exhausted";
  return status === 502 || status === 503 || status === 504 ? "unavailable" : "internal";
}
