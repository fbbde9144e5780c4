import { describe, expect, test } from "vitest";
import type { LogRecord } from "../../../observatory/ui/src/api/types";
import {
  buffer,
  newestLess,
  withNewer,
  withOlder,
} from "../../../observatory/ui/src/views/logs/line_buffer";
import {
  floorOf,
  severityTone,
  severityWord,
} from "../../../observatory/ui/src/views/logs/severity";

/** Lines written at these moments, newest first as they come. */
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

const said = ({ lines }: { lines: LogRecord[] }) => lines.map((line) => line.time_unix_nano);

describe("lines are buffer oldest first", () => {
  test("however they come", () => {
    expect(said(buffer(lines(1, 2, 3), null))).toEqual(["1", "2", "3"]);
  });

  test("older ones join above, and keep the names of those that are there", () => {
    const before = buffer(lines(5, 6), "5");
    const after = withOlder(before, lines(3, 4), null);
    expect(said(after)).toEqual(["3", "4", "5", "6"]);
    expect(after.lines.map((line) => line.seq)).toEqual([-2, -1, 0, 1]);
    expect(after.older).toBeNull();
  });

  test("newer ones join below; one that is buffer already doesn't come again", () => {
    const after = withNewer(buffer(lines(1, 2), null), lines(2, 3), 100);
    expect(said(after)).toEqual(["1", "2", "3"]);
    expect(after.lines.map((line) => line.seq)).toEqual([0, 1, 2]);
  });

  test("nothing new leaves everything as it is", () => {
    const before = buffer(lines(1, 2), null);
    expect(withNewer(before, lines(2), 100)).toBe(before);
    expect(withNewer(before, [], 100)).toBe(before);
  });

  test("one that was written before others that came first joins where it came", () => {
    expect(said(withNewer(buffer(lines(1, 3), null), lines(2, 3, 4), 100))).toEqual([
      "1",
      "3",
      "2",
      "4",
    ]);
  });

  test("asking for newer ones looks back a little from the newest", () => {
    expect(newestLess(buffer(lines(7e9, 9e9), null), 5)).toBe("4000000000");
    expect(newestLess(buffer(lines(1), null), 5)).toBe("0");
    expect(newestLess(buffer([], null), 5)).toBeNull();
  });

  test("the oldest go when there are too many, and can be fetched again", () => {
    const after = withNewer(buffer(lines(1, 2, 3), null), lines(4, 5), 3);
    expect(said(after)).toEqual(["3", "4", "5"]);
    expect(after.older).toBe("3");
  });
});

describe("severity", () => {
  test("has the sender's word, else OpenTelemetry's, else none", () => {
    expect(severityWord(9, "INFO")).toBe("info");
    expect(severityWord(13, "")).toBe("warn");
    expect(severityWord(24, "")).toBe("fatal");
    expect(severityWord(0, "")).toBe("log");
  });

  test("is marked from warnings on", () => {
    expect([12, 13, 16, 17].map(severityTone)).toEqual(["plain", "warn", "warn", "bad"]);
  });

  test("has floors that an address can name", () => {
    expect(floorOf("warn")).toBe(13);
    expect(floorOf(null)).toBe(0);
    expect(floorOf("nonsense")).toBe(0);
  });
});
