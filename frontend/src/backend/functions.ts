import { settings } from "../settings";
import { call } from "../throughline/callable";
import type { Sending } from "../throughline/http";
import { appCheckHeaders, auth } from "./firebase";

/**
 * Call the callable function `name` with the account that is signed in and the trace context of
 * `sending`.
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
  return call(functionUrl(name), data, {
    idToken,
    headers: { ...headers, ...(await appCheckHeaders()) },
    answered,
    timeoutMs,
  });
}

/** Return the address of the function `name`. */
export function functionUrl(name: string): string {
  return `${settings.functionsUrl}/${name}`;
}
