/** Opens Firebase: the one place that knows about emulators. */
import { initializeApp } from "firebase/app";
import {
  type Auth,
  browserLocalPersistence,
  connectAuthEmulator,
  indexedDBLocalPersistence,
  initializeAuth,
} from "firebase/auth";
import { connectFirestoreEmulator, type Firestore, getFirestore } from "firebase/firestore";
import { settings } from "../settings";

// Each page says in its HTML whose sign-in it keeps: an organiser who signs in must not push out the
// guest of the same browser, whose orders no other account can read.
const app = initializeApp(settings.firebase, document.documentElement.dataset.session);

export const auth: Auth = initializeAuth(app, {
  persistence: [indexedDBLocalPersistence, browserLocalPersistence],
});
export const firestore: Firestore = getFirestore(app);

if (settings.authEmulatorUrl) {
  connectAuthEmulator(auth, settings.authEmulatorUrl, { disableWarnings: true });
}
if (settings.firestoreEmulator) {
  connectFirestoreEmulator(
    firestore,
    settings.firestoreEmulator.host,
    settings.firestoreEmulator.port,
  );
}
