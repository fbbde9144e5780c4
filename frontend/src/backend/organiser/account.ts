/** Who is signed in on the organiser's page, and whether the box office is theirs to run. */
import {
  onIdTokenChanged,
  signInWithEmailAndPassword,
  signOut as signOutOfAuth,
} from "firebase/auth";
import { auth } from "../firebase";
import { watchRole } from "./role";

/** Somebody who is signed in. The rules and the functions ask for the same claim. */
export interface Account {
  email: string;
  isOrganiser: boolean;
  /** Whether their being made an organiser would be noticed now. */
  isWatched: boolean;
}

/**
 * Calls `report` with who is signed in, or null, now and whenever that or their claim changes.
 *
 * The claim is in the token, and a token is good for an hour. Whoever is no organiser by theirs is
 * told when that has changed, and fetches a new one then.
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
      // Meanwhile somebody else may have signed in, or nobody be signed in.
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

/** Asks for a fresh token, with a claim that was given after the last one. */
export async function checkClaimAgain(): Promise<void> {
  await auth.currentUser?.getIdToken(true);
}

export async function signOut(): Promise<void> {
  await signOutOfAuth(auth);
}
