/** Bugs on purpose in the page: on by its address, and by nothing else. */
import { expect, test } from "vitest";
import { isOn } from "../../../frontend/src/faults/isOn";
import { settings } from "../../../frontend/src/settings";

test("a fault is on where the address names it, and only that one", () => {
  expect(isOn("denial-looks-empty", "?fault=denial-looks-empty")).toBe(true);
  expect(isOn("denial-looks-empty", "?fault=other&fault=denial-looks-empty")).toBe(true);
  for (const search of ["", "?fault", "?fault=", "?fault=denial", "?denial-looks-empty"]) {
    expect(isOn("denial-looks-empty", search), search).toBe(false);
  }
});

test("no address turns a fault on off the emulators", () => {
  const emulator = settings.firestoreEmulator;
  settings.firestoreEmulator = null;
  try {
    expect(isOn("denial-looks-empty", "?fault=denial-looks-empty")).toBe(false);
  } finally {
    settings.firestoreEmulator = emulator;
  }
});
