import {
  onIdTokenChanged,
  signInWithEmailAndPassword,
  signOut as signOutOfAuth,
} from "firebase/auth";
import type { Account } from "../../model/account";
import { auth } from "../firebase";
import { watchRole } from "./role";

/**
 * Report the account that is signed in, or null, now and whenever it or its claim changes.
 *
 * The claim is in the ID token, which is valid for an hour. While the token lacks the organiser's
 * claim, the page watches for a change of role, and then fetches a new token.
 *
 * @returns a function that stops reporting.
 */
export function watchOrganiser(
  report: (account: Account | null) => void,
  fail: (error: Error) => void,
): () => void {
  let stopWatchingRole = () => {};
  const stop = onIdTokenChanged(auth, (user) => {
    stopWatchingRole();
    if (!user) {
      report(null);
      return;
    }
    user.getIdTokenResult().then((token) => {
      // Another account may have signed in meanwhile, or this one may have signed out.
      if (auth.currentUser !== user) return;
      const isOrganiser = token.claims.role === "organiser";
      report({ email: user.email ?? "", isOrganiser, isWatched: false });
      stopWatchingRole();
      if (!isOrganiser) stopWatchingRole = watchRole(user, token, report);
    }, fail);
  });
  return () => {
    stopWatchingRole();
    stop();
  };
}

/** @throws FirebaseError, such as `auth/invalid-credential`. */
export async function signIn(email: string, password: string): Promise<void> {
  await signInWithEmailAndPassword(auth, email, password);
}

/** Fetch a new token, which has a claim that was given after the last one was issued. */
export async function checkClaimAgain(): Promise<void> {
  await auth.currentUser?.getIdToken(true);
}

export async function signOut(): Promise<void> {
  await signOutOfAuth(auth);
}
