/** What a person reads when something they asked for failed: what happened, and what to do next. */
export interface UserError {
  title: string;
  hint: string;
}

/** Return the `code` of an error of Firebase's, a function's or our own; undefined if it has none. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
