import { describe, expect, test } from "vitest";
import type { LogRecord } from "../../../observatory/ui/src/api/types";
import { minSeverity, severityTone, severityWord } from "../../../observatory/ui/src/severity";
import {
  createBuffer,
  timeBeforeNewest,
  withNewer,
  withOlder,
} from "../../../observatory/ui/src/views/logs/line_buffer";

/** Return lines written at these Unix nanoseconds, newest first as the API returns them. */
function lines(...moments: number[]): LogRecord[] {
  return moments.toReversed().map((moment) => ({
    time_unix_nano: String(moment),
    time: "2026-11-24T12:00:00.000Z",
    severity_number: 9,
    severity_text: "INFO",
    service: "reserve",
    body: `line ${moment}`,
    event_name: "",
    trace_id: null,
    span_id: null,
    attributes: {},
  }));
}

const times = ({ lines }: { lines: LogRecord[] }) => lines.map((line) => line.time_unix_nano);

describe("the line buffer", () => {
  test("holds lines oldest first", () => {
    expect(times(createBuffer(lines(1, 2, 3), null))).toEqual(["1", "2", "3"]);
  });

  test("adds older lines above, without renumbering the others", () => {
    const before = createBuffer(lines(5, 6), "5");
    const after = withOlder(before, lines(3, 4), null);
    expect(times(after)).toEqual(["3", "4", "5", "6"]);
    expect(after.lines.map((line) => line.seq)).toEqual([-2, -1, 0, 1]);
    expect(after.older).toBeNull();
  });

  test("adds newer lines below, without duplicates", () => {
    const after = withNewer(createBuffer(lines(1, 2), null), lines(2, 3), 100);
    expect(times(after)).toEqual(["1", "2", "3"]);
    expect(after.lines.map((line) => line.seq)).toEqual([0, 1, 2]);
  });

  test("is unchanged if there is nothing new", () => {
    const before = createBuffer(lines(1, 2), null);
    expect(withNewer(before, lines(2), 100)).toBe(before);
    expect(withNewer(before, [], 100)).toBe(before);
  });

  test("appends late lines in order of arrival", () => {
    expect(times(withNewer(createBuffer(lines(1, 3), null), lines(2, 3, 4), 100))).toEqual([
      "1",
      "3",
      "2",
      "4",
    ]);
  });

  test("requests lines from shortly before the newest", () => {
    expect(timeBeforeNewest(createBuffer(lines(7e9, 9e9), null), 5)).toBe("4000000000");
    expect(timeBeforeNewest(createBuffer(lines(1), null), 5)).toBe("0");
    expect(timeBeforeNewest(createBuffer([], null), 5)).toBeNull();
  });

  test("drops the oldest lines beyond its size, which can be fetched again", () => {
    const after = withNewer(createBuffer(lines(1, 2, 3), null), lines(4, 5), 3);
    expect(times(after)).toEqual(["3", "4", "5"]);
    expect(after.older).toBe("3");
  });
});

describe("severity", () => {
  test("is named by the sender, else by OpenTelemetry's number, else `log`", () => {
    expect(severityWord(9, "INFO")).toBe("info");
    expect(severityWord(13, "")).toBe("warn");
    expect(severityWord(24, "")).toBe("fatal");
    expect(severityWord(0, "")).toBe("log");
  });

  test("is coloured from warnings on", () => {
    expect([12, 13, 16, 17].map(severityTone)).toEqual(["plain", "warn", "warn", "bad"]);
  });

  test("can be limited by a name in the address", () => {
    expect(minSeverity("warn")).toBe(13);
    expect(minSeverity(null)).toBe(0);
    expect(minSeverity("nonsense")).toBe(0);
  });
});
