/** Initialises Firebase; the only module with code for the emulators. */
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
import { proveTelemetry } from "../tracing/proof";

// Each page names in its HTML which sign-in it keeps: an organiser must not sign out the
// guest of the same browser, whose orders no other account can read.
const app = initializeApp(settings.firebase, document.documentElement.dataset.session);

export const auth: Auth = initializeAuth(app, {
  persistence: [indexedDBLocalPersistence, browserLocalPersistence],
});
export const firestore: Firestore = getFirestore(app);

// Before the first request; its code is loaded only where there is a key.
export const appCheckHeaders = settings.appCheckKey
  ? (await import("./appCheck")).startAppCheck(app, settings.appCheckKey)
  : async () => ({});
proveTelemetry(appCheckHeaders);

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
