import { onAuthStateChanged, signInAnonymously, signOut as signOutOfAuth } from "firebase/auth";
import { auth } from "../firebase";

/** Report the uid of the buyer's anonymous account, or null when signed out, now and at every change. */
export function watchBuyer(report: (uid: string | null) => void): () => void {
  return onAuthStateChanged(auth, (user) => report(user?.uid ?? null));
}

/** @throws FirebaseError, such as `auth/network-request-failed`. */
export async function signInAsGuest(): Promise<void> {
  await signInAnonymously(auth);
}

export async function signOut(): Promise<void> {
  await signOutOfAuth(auth);
}
