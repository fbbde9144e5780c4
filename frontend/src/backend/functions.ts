/** Our own functions, called as whoever is signed in. */
import { settings } from "../settings";
import { call } from "../throughline/callable";
import type { Sending } from "../throughline/http";
import { auth } from "./firebase";

/**
 * Calls the callable function `name`, with the trace context that `sending` brings.
 *
 * @returns its result, unchecked. @throws CallableError, or FirebaseError if the sign-in has lapsed.
 */
export async function callFunction(
  name: string,
  data: unknown,
  { headers, answered }: Sending,
  timeoutMs: number,
): Promise<unknown> {
  const idToken = await auth.currentUser?.getIdToken();
  return call(functionUrl(name), data, { idToken, headers, answered, timeoutMs });
}

/** Where the function `name` answers. */
export function functionUrl(name: string): string {
  return `${settings.functionsUrl}/${name}`;
}
