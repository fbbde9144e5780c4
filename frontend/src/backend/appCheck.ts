/** App Check: proves to Firebase that a request comes from this app's own page. */
import type { FirebaseApp } from "firebase/app";
import {
  type AppCheck,
  getToken,
  initializeAppCheck,
  ReCaptchaEnterpriseProvider,
} from "firebase/app-check";

/**
 * Start App Check with a reCAPTCHA Enterprise site key. Firebase's own services then send its token.
 *
 * @returns a function for the headers that prove it to a function of ours.
 */
export function startAppCheck(
  app: FirebaseApp,
  siteKey: string,
): () => Promise<Record<string, string>> {
  const appCheck: AppCheck = initializeAppCheck(app, {
    provider: new ReCaptchaEnterpriseProvider(siteKey),
    isTokenAutoRefreshEnabled: true,
  });
  return async () => ({ "x-firebase-appcheck": (await getToken(appCheck)).token });
}
