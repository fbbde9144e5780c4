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

const app = initializeApp(settings.firebase);

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
