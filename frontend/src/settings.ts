/** The page's settings, fixed when it is built; the only reader of `import.meta.env`. */

export interface Settings {
  firebase: { projectId: string; apiKey: string; authDomain: string };
  /** Where the Auth emulator listens; null means the real service. */
  authEmulatorUrl: string | null;
  /** Where the Firestore emulator listens; null means the real service. */
  firestoreEmulator: { host: string; port: number } | null;
  /** Base of the functions' own addresses; a function's name follows it. */
  functionsUrl: string;
  /** The reCAPTCHA Enterprise site key for App Check; null means no App Check. */
  appCheckKey: string | null;
  /** Base of the OTLP/HTTP endpoint that takes the page's spans and logs; may be a path. */
  otlpEndpoint: string;
  /** The share of traces that the page and the functions record, from 0 to 1. */
  traceSampleRatio: number;
  /** Base of the explorer in which an order's trace is shown; null means no links to traces. */
  observatoryUrl: string | null;
  /** Base of the card processor that turns a card number into a token. */
  acquirerUrl: string;
}

/** Reads settings from `env`; an empty variable counts as set, an unset one gets its default. */
export function readSettings(env: Record<string, unknown>): Settings {
  const text = (name: string, fallback: string) => {
    const value = env[name];
    return typeof value === "string" ? value.trim() : fallback;
  };
  const url = (name: string, fallback: string) => text(name, fallback).replace(/\/+$/, "");
  const projectId = text("VITE_FIREBASE_PROJECT_ID", "demo-throughline");
  return {
    firebase: {
      projectId,
      apiKey: text("VITE_FIREBASE_API_KEY", "demo-key"),
      authDomain: text("VITE_FIREBASE_AUTH_DOMAIN", `${projectId}.firebaseapp.com`),
    },
    authEmulatorUrl: url("VITE_AUTH_EMULATOR_URL", "http://127.0.0.1:9099") || null,
    firestoreEmulator: hostAndPort(
      "VITE_FIRESTORE_EMULATOR",
      text("VITE_FIRESTORE_EMULATOR", "127.0.0.1:8080"),
    ),
    functionsUrl: url("VITE_FUNCTIONS_URL", `http://127.0.0.1:5001/${projectId}/us-central1`),
    appCheckKey: text("VITE_APP_CHECK_KEY", "") || null,
    otlpEndpoint: url("VITE_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
    traceSampleRatio: ratio("VITE_TRACE_SAMPLE_RATIO", text("VITE_TRACE_SAMPLE_RATIO", "1")),
    observatoryUrl: url("VITE_OBSERVATORY_URL", "http://127.0.0.1:4318") || null,
    acquirerUrl: url("VITE_ACQUIRER_URL", "http://127.0.0.1:4320"),
  };
}

function ratio(name: string, value: string): number {
  const number = value === "" ? 1 : Number(value);
  if (number >= 0 && number <= 1) return number;
  throw new Error(`${name} is "${value}"; it must be a number from 0 to 1.`);
}

function hostAndPort(name: string, value: string): { host: string; port: number } | null {
  if (value === "") return null;
  const groups = /^(?<host>[^:]+):(?<port>\d{1,5})$/.exec(value)?.groups;
  if (!groups) throw new Error(`${name} is "${value}"; it must be HOST:PORT, or empty for none.`);
  return { host: groups.host ?? "", port: Number(groups.port) };
}

// Node has no `import.meta.env`; the build reads settings there, with `readSettings`.
export const settings: Settings = readSettings(import.meta.env ?? {});
