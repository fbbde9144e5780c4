import { describe, expect, test } from "vitest";
import { agoText, count, durationText, percent } from "../../../observatory/ui/src/format";
import { routeOf, tracePath, VIEWS } from "../../../observatory/ui/src/navigation/route";

describe("durations are formatted as in the terminal", () => {
  // The same table as in tests/unit/observatory/test_trace_command.py.
  test.each([
    [0, "0 ms"],
    [0.42, "0.42 ms"],
    [4.21, "4.2 ms"],
    [9.96, "10 ms"],
    [212.4, "212 ms"],
    [999.6, "1.00 s"],
    [3410, "3.41 s"],
    [59_996, "1 min 0 s"],
    [125_000, "2 min 5 s"],
    [7_260_000, "2 h 1 min"],
    [-5, "−5 ms"],
  ])("%d ms is shown as %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});

describe("parsing addresses", () => {
  const route = (address: string) => routeOf(new URL(address, "http://127.0.0.1:4318"));

  test("recognises the overview and its filter", () => {
    expect(route("/")).toMatchObject({ view: "overview" });
    const filtered = route("/?q=declined%20settle");
    expect(filtered.view === "overview" && filtered.query.get("q")).toBe("declined settle");
  });

  test("recognises every view in the navigation", () => {
    for (const { view, path } of VIEWS) expect(route(path)).toMatchObject({ view });
    expect(route("/map/")).toMatchObject({ view: "map" });
  });

  test("recognises a trace and a span in it", () => {
    expect(route(tracePath("AB12"))).toMatchObject({ view: "trace", traceId: "ab12" });
    const spanOf = route(tracePath("ab12", "cd34"));
    expect(spanOf.view === "trace" && spanOf.query.get("span")).toBe("cd34");
  });

  test("recognises a diff of two traces", () => {
    expect(route("/diff/AB12/cd34")).toMatchObject({ view: "diff", left: "ab12", right: "cd34" });
  });

  test.each(["/elsewhere", "/traces", "/traces/a/b", "/diff/a", "/diff/a/b/c"])(
    "returns an unknown route for %s",
    (path) => {
      expect(route(path)).toEqual({ view: "unknown", path });
    },
  );
});

test("only a share of 1 is 100 %", () => {
  expect(percent(1)).toBe("100 %");
  expect(percent(0.99999)).toBe("99.9 %");
  expect(percent(0)).toBe("0.0 %");
});

test("a count of one is singular", () => {
  expect(count(1, "span")).toBe("1 span");
  expect(count(0, "span")).toBe("0 spans");
});

test("past times are rounded", () => {
  const now = new Date("2026-01-01T12:00:00Z");
  expect(agoText(now, now)).toBe("now");
  expect(agoText(new Date("2026-01-01T11:59:48Z"), now)).toBe("12 s ago");
  expect(agoText(new Date("2026-01-01T11:00:01Z"), now)).toBe("59 min ago");
});
