import { expect, test } from "vitest";
import { readSettings } from "../../../frontend/src/settings";

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
