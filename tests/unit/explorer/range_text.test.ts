import { expect, test } from "vitest";
import {
  fieldMoment,
  fieldText,
  rangeText,
} from "../../../observatory/ui/src/navigation/range_text";

const now = new Date(2026, 0, 5, 12, 0, 0);
const at = (hour: number, minute = 0, day = 5) => new Date(2026, 0, day, hour, minute).getTime();

test.each([
  [{ kind: "last", seconds: 300 }, "Last 5 min"],
  [{ kind: "last", seconds: 86_400 }, "Last 24 h"],
  [{ kind: "last", seconds: 77 }, "Last 77 s"],
  [{ kind: "all" }, "All time"],
  [{ kind: "between", from: at(9, 2), to: at(9, 17) }, "09:02 – 09:17"],
  [{ kind: "between", from: at(9, 0, 4), to: at(9, 17) }, "4 Jan, 09:00 – 09:17"],
  [{ kind: "between", from: at(9), to: at(9) + 5_000 }, "09:00:00 – 09:00:05"],
  [{ kind: "between", from: null, to: at(9) }, "Until 09:00"],
  [{ kind: "between", from: at(9), to: null }, "Since 09:00"],
] as const)("describes a time range in words: %j", (range, text) => {
  expect(rangeText(range, now)).toBe(text);
});

test("a time survives the round trip through a date field", () => {
  expect(fieldMoment(fieldText(at(9, 17)))).toBe(at(9, 17));
  expect(fieldMoment("")).toBe(null);
});
