import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { build } from "vite";
import { expect, onTestFinished, test } from "vitest";
import { requiredSettings } from "../../../frontend/requiredSettings";
import { readSettings } from "../../../frontend/src/settings";

const EXAMPLE = resolve(import.meta.dirname, "../../../frontend/.env.example");
const example = parseEnv(readFileSync(EXAMPLE, "utf8"));

test("without variables the page uses the local stack", () => {
  expect(readSettings({})).toMatchObject({
    firebase: { projectId: "demo-throughline", authDomain: "demo-throughline.firebaseapp.com" },
    authEmulatorUrl: "http://127.0.0.1:9099",
    firestoreEmulator: { host: "127.0.0.1", port: 8080 },
    functionsUrl: "http://127.0.0.1:5001/demo-throughline/us-central1",
    otlpEndpoint: "http://127.0.0.1:4318",
    traceSampleRatio: 1,
    observatoryUrl: "http://127.0.0.1:4318",
    appCheckKey: null,
    acquirerUrl: "http://127.0.0.1:4320",
  });
});

test("an emulator set to empty means the real service", () => {
  const settings = readSettings({ VITE_AUTH_EMULATOR_URL: "", VITE_FIRESTORE_EMULATOR: "" });
  expect(settings.authEmulatorUrl).toBeNull();
  expect(settings.firestoreEmulator).toBeNull();
});

test("a trailing slash is ignored", () => {
  expect(readSettings({ VITE_ACQUIRER_URL: "https://pay.example/" }).acquirerUrl).toBe(
    "https://pay.example",
  );
});

test("a Firestore emulator that is not HOST:PORT is an error with its value", () => {
  expect(() => readSettings({ VITE_FIRESTORE_EMULATOR: "8080" })).toThrow(
    'VITE_FIRESTORE_EMULATOR is "8080"; it must be HOST:PORT, or empty for none.',
  );
});

test("telemetry may go to a path of the page's own origin", () => {
  expect(readSettings({ VITE_OTLP_ENDPOINT: "/telemetry" }).otlpEndpoint).toBe("/telemetry");
});

test("a sample ratio outside 0 to 1 is an error with its value", () => {
  const read = (value: string) => readSettings({ VITE_TRACE_SAMPLE_RATIO: value }).traceSampleRatio;
  expect(["0", "0.1", "1", ""].map(read)).toEqual([0, 0.1, 1, 1]);
  for (const value of ["1.5", "-1", "10%", "NaN"]) {
    expect(() => read(value)).toThrow(
      `VITE_TRACE_SAMPLE_RATIO is "${value}"; it must be a number from 0 to 1.`,
    );
  }
});

test("without an Observatory the page has no links to traces", () => {
  expect(readSettings({ VITE_OBSERVATORY_URL: "" }).observatoryUrl).toBeNull();
});

test("the example has every variable that the page reads, and no other", () => {
  const names = new Set<string>();
  const recorder = {
    get: (_target: object, name: string | symbol) => {
      names.add(String(name));
    },
  };
  readSettings(new Proxy({}, recorder));
  expect([...names].sort()).toEqual(Object.keys(example).sort());
});

/** Builds a page of one empty module, in `mode` and with the variables of `env` alone. */
async function buildPage(mode: string, env: Record<string, string>): Promise<unknown> {
  const root = mkdtempSync(join(tmpdir(), "settings-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(root, `.env.${mode}`), lines.join(""));
  writeFileSync(join(root, "main.ts"), "export {};\n");
  return build({
    root,
    mode,
    configFile: false,
    logLevel: "silent",
    plugins: [requiredSettings(EXAMPLE)],
    build: { write: false, lib: { entry: join(root, "main.ts"), formats: ["es"] } },
  });
}

test.each(["production", "staging"])(
  "a build for %s names each variable that it lacks, and those that are empty",
  async (mode) => {
    const { VITE_FUNCTIONS_URL: _1, VITE_APP_CHECK_KEY: _2, ...rest } = example;
    const env = { ...(rest as Record<string, string>), VITE_ACQUIRER_URL: "" };
    await expect(buildPage(mode, env)).rejects.toThrow(
      /cannot be built without VITE_ACQUIRER_URL, VITE_APP_CHECK_KEY, VITE_FUNCTIONS_URL\..*frontend\/\.env\./,
    );
  },
);

test("a build with every variable succeeds, and so does one for the local stack without any", async () => {
  await buildPage("production", example as Record<string, string>);
  await buildPage("emulators", {});
});
