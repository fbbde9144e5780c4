/** The origins that a page's Content Security Policy lets it connect to. */
import { resolve } from "node:path";
import { build } from "vite";
import { expect, test, vi } from "vitest";
import { origins } from "../../../frontend/connectSources";
import { readSettings } from "../../../frontend/src/settings";

const FRONTEND = resolve(import.meta.dirname, "../../../frontend");

const deployed = {
  VITE_FIREBASE_PROJECT_ID: "box-office",
  VITE_AUTH_EMULATOR_URL: "",
  VITE_FIRESTORE_EMULATOR: "",
  VITE_FUNCTIONS_URL: "https://us-central1-box-office.cloudfunctions.net",
  VITE_ACQUIRER_URL: "https://processor.example/v2/",
  VITE_OTLP_ENDPOINT: "/telemetry",
};

test("a deployed page connects to its project, the card processor and its own site", () => {
  expect(origins(readSettings(deployed))).toEqual([
    "'self'",
    "https://identitytoolkit.googleapis.com",
    "https://securetoken.googleapis.com",
    "https://firestore.googleapis.com",
    "https://us-central1-box-office.cloudfunctions.net",
    "https://processor.example",
  ]);
});

test("with App Check it connects to that too", () => {
  const without = origins(readSettings(deployed));
  const added = origins(readSettings({ ...deployed, VITE_APP_CHECK_KEY: "key" })).filter(
    (origin) => !without.includes(origin),
  );
  expect(added).toEqual([
    "https://content-firebaseappcheck.googleapis.com",
    "https://www.google.com",
  ]);
});

test("a page of the local stack connects to the stack's ports, and nowhere else", () => {
  expect(origins(readSettings({}))).toEqual([
    "'self'",
    "http://127.0.0.1:9099",
    "http://127.0.0.1:8080",
    "http://127.0.0.1:5001",
    "http://127.0.0.1:4320",
    "http://127.0.0.1:4318",
  ]);
});

test("a page without an OTLP endpoint names none", () => {
  expect(origins(readSettings({ ...deployed, VITE_OTLP_ENDPOINT: "" }))).toEqual(
    origins(readSettings(deployed)),
  );
});

test("every built page begins with its policy", async () => {
  vi.stubEnv("VITE_ACQUIRER_URL", "http://127.0.0.1:5320");
  const { output } = (await build({
    root: FRONTEND,
    mode: "emulators",
    logLevel: "silent",
    build: { write: false },
  })) as { output: { fileName: string; source?: string | Uint8Array }[] };
  vi.unstubAllEnvs();
  const pages = output.filter(({ fileName }) => fileName.endsWith(".html"));
  expect(pages.map(({ fileName }) => fileName).sort()).toEqual(["index.html", "organiser.html"]);
  for (const { source } of pages) {
    const [first] = String(source).split("<head>")[1]?.trim().split("\n") ?? [];
    expect(first).toMatch(
      /^<meta http-equiv="Content-Security-Policy" content="connect-src &#39;self&#39; .*http:\/\/127\.0\.0\.1:5320/,
    );
  }
}, 60_000);
