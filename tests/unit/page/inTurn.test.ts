import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { inTurn } from "../../../frontend/src/backend/inTurn";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("work waits for its turn and for the pause after it", async () => {
  const run = inTurn(2_000);
  const begun: string[] = [];
  let finishFirst = () => {};
  const first = run(() => {
    begun.push("first");
    return new Promise<void>((resolve) => {
      finishFirst = resolve;
    });
  });
  const second = run(async () => {
    begun.push("second");
    return "result";
  });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(begun).toEqual(["first"]);
  finishFirst();
  await first;
  await vi.advanceTimersByTimeAsync(1_999);
  expect(begun).toEqual(["first"]);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(["first", "second"]);
  expect(await second).toBe("result");
});

test("work that fails rejects its own promise, and the next needs no pause", async () => {
  const run = inTurn(2_000);
  const first = run(() => Promise.reject(new Error("denied")));
  const second = run(async () => "result");
  await expect(first).rejects.toThrow("denied");
  expect(await second).toBe("result");
});
