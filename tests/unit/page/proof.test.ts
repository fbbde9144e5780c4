/** App Check's headers on telemetry, which the page sends before Firebase is loaded. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

let module: typeof import("../../../frontend/src/tracing/proof");

beforeEach(async () => {
  vi.resetModules();
  module = await import("../../../frontend/src/tracing/proof");
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("telemetry waits for the headers, and gets those of each time", async () => {
  const first = module.proof();
  let token = 0;
  module.proveTelemetry(async () => ({ "x-firebase-appcheck": `token-${++token}` }));
  expect(await first).toEqual({ "x-firebase-appcheck": "token-1" });
  expect(await module.proof()).toEqual({ "x-firebase-appcheck": "token-2" });
});

test("without headers within eight seconds, telemetry is sent without", async () => {
  const late = module.proof();
  await vi.advanceTimersByTimeAsync(8_000);
  expect(await late).toEqual({});
});

test("a token that cannot be fetched does not keep telemetry back", async () => {
  module.proveTelemetry(() => Promise.reject(new Error("blocked")));
  expect(await module.proof()).toEqual({});
});
