/** Who is signed in on the organiser's page, and whether the box office is theirs to run. */
import {
  onIdTokenChanged,
  signInWithEmailAndPassword,
  signOut as signOutOfAuth,
} from "firebase/auth";
import { auth } from "../../backend/open";

/** Somebody who is signed in. The rules and the functions ask for the same claim. */
export interface Account {
  email: string;
  isOrganiser: boolean;
}

/** Calls `report` with who is signed in, or null, now and whenever that or their claim changes. */
export function watchOrganiser(
  report: (account: Account | null) => void,
  fail: (error: Error) => void,
): () => void {
  return onIdTokenChanged(auth, (user) => {
    if (!user) {
      report(null);
      return;
    }
    user.getIdTokenResult().then(({ claims }) => {
      // Meanwhile somebody else may have signed in, or nobody be signed in.
      if (auth.currentUser !== user) return;
      report({ email: user.email ?? "", isOrganiser: claims.role === "organiser" });
    }, fail);
  });
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
