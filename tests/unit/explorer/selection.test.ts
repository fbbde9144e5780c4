import { describe, expect, test } from "vitest";
import {
  bothFilters,
  DEFAULT_RANGE,
  isLive,
  paused,
  resumed,
  sameSelection,
  selectionOf,
  selectionParameters,
  withSelection,
} from "../../../observatory/ui/src/navigation/selection";

const read = (query: string) => selectionOf(new URLSearchParams(query));

describe("the selection in the address", () => {
  test("defaults to the last fifteen minutes", () => {
    expect(read("")).toEqual({ q: "", range: { kind: "last", seconds: 900 } });
  });

  test.each([
    ["last=300", { kind: "last", seconds: 300 }],
    ["last=all", { kind: "all" }],
    ["from=1000&to=2000", { kind: "between", from: 1000, to: 2000 }],
    ["to=2000", { kind: "between", from: null, to: 2000 }],
    ["last=soon", DEFAULT_RANGE],
    ["last=0", DEFAULT_RANGE],
    ["from=-5", DEFAULT_RANGE],
  ])("%s", (query, range) => {
    expect(read(query).range).toEqual(range);
  });

  test("survives a round trip, and keeps other parameters", () => {
    for (const query of ["q=a+%3D+b&last=60", "last=all", "from=1&to=2", "", "q=x"]) {
      const selection = read(query);
      const changed = withSelection(new URLSearchParams("sort=duration&from=9"), selection);
      expect(selectionOf(changed)).toEqual(selection);
      expect(changed.get("sort")).toBe("duration");
    }
  });

  test("carries over to another view without other parameters", () => {
    const query = new URLSearchParams("q=error+%3D+true&last=60&sort=spans");
    expect(sameSelection("/map", query)).toBe("/map?q=error+%3D+true&last=60");
    expect(sameSelection("/map", new URLSearchParams("sort=spans"))).toBe("/map");
  });
});

test("the API receives seconds or bounds, and neither for all time", () => {
  const apiQuery = (query: string) => selectionParameters(read(query)).toString();
  expect(apiQuery("q=x")).toBe("q=x&last=900");
  expect(apiQuery("last=all")).toBe("");
  expect(apiQuery("from=5&to=7")).toBe("from=5&to=7");
});

describe("pausing a live range", () => {
  test("resumes with the same length", () => {
    const range = paused({ kind: "last", seconds: 300 }, 1_000_000);
    expect(range).toEqual({ kind: "between", from: 700_000, to: 1_000_000 });
    expect(isLive(range)).toBe(false);
    expect(resumed(range)).toEqual({ kind: "last", seconds: 300 });
  });

  test("resumes all time as all time", () => {
    expect(resumed(paused({ kind: "all" }, 5))).toEqual({ kind: "all" });
  });
});

describe("combining two filters", () => {
  test.each([
    ["", "a = 1", "a = 1"],
    ["a = 1", "a = 1", "a = 1"],
    ["a = 1", "b = 2", "a = 1 and b = 2"],
    ["a = 1 or b = 2", "c = 3", "(a = 1 or b = 2) and c = 3"],
    ['name = "this or that"', "c = 3", 'name = "this or that" and c = 3'],
  ])("%s, %s", (first, second, both) => {
    expect(bothFilters(first, second)).toBe(both);
  });
});
