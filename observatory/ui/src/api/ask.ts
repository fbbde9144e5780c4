/** How the JSON API is asked; the other modules here say what, and what the answers look like. */

/** Why there is no answer: nothing is there, the trace isn't stored, or the question was wrong. */
export class ApiFailure extends Error {
  readonly kind: "unreachable" | "not-found" | "refused";
  /** The API's own word for it, such as `bad_filter`; empty when nothing answered. */
  readonly code: string;
  /** Where in the text that was sent it is wrong, counted from 0, if that can be said. */
  readonly position: number | null;

  constructor(
    kind: ApiFailure["kind"],
    message: string,
    code = "",
    position: number | null = null,
  ) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.position = position;
  }
}

/**
 * What `path` answers. Throws an `ApiFailure` where that is no answer.
 *
 * @param sent is sent along, as JSON; without it, the question is all in the path.
 * @param method is how it is sent.
 */
export async function ask<Answer>(
  path: string,
  signal: AbortSignal,
  sent?: object,
  method: "POST" | "PUT" = "POST",
): Promise<Answer> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(path, { signal, ...(sent && carrying(sent, method)) });
    body = await response.json();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiFailure("unreachable", `The Observatory at ${location.origin} doesn't answer.`);
  }
  if (response.ok) return body as Answer;
  throw refusal(body, `${path} answered ${response.status}.`);
}

function carrying(sent: object, method: string): RequestInit {
  const headers = { "content-type": "application/json" };
  return { method, headers, body: JSON.stringify(sent) };
}

/** The failure that an answer's body tells of; `otherwise` where it has no words for it. */
export function refusal(body: unknown, otherwise: string): ApiFailure {
  const { code, message, position } = (body as { error?: Refusal } | null)?.error ?? {};
  return new ApiFailure(
    code === "trace_not_found" ? "not-found" : "refused",
    message ?? otherwise,
    code,
    position ?? null,
  );
}

interface Refusal {
  code?: string;
  message?: string;
  position?: number;
}
