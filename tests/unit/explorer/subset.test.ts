import { describe, expect, test } from "vitest";
import { wholePercent } from "../../../observatory/ui/src/format";
import { selectionParameters } from "../../../observatory/ui/src/navigation/selection";
import {
  selectionOfSubset,
  subsetFrom,
  subsetParameters,
  withSubset,
} from "../../../observatory/ui/src/views/overview/subset";

const read = (query: string) => subsetFrom(new URLSearchParams(query));

describe("the compared subset in the address", () => {
  test.each([
    ["", null],
    ["in_from=5", null],
    ["in_from=9&in_to=5", null],
    ["in_from=5&in_to=x", null],
    ["in=error+%3D+true", { kind: "filter", filter: "error = true" }],
    ["in_from=5&in_to=9", { kind: "box", box: { from: 5, to: 9, minMs: null, maxMs: null } }],
    [
      "in_from=5&in_to=9&in_least_ms=1.5&in_most_ms=20",
      { kind: "box", box: { from: 5, to: 9, minMs: 1.5, maxMs: 20 } },
    ],
  ])("%s", (query, subset) => {
    expect(read(query)).toEqual(subset);
    if (subset) expect(subsetParameters(read(query) as never).toString()).toBe(query);
  });

  test("replaces the previous subset, and keeps other parameters", () => {
    const boxed = withSubset(new URLSearchParams("q=a&in=b"), read("in_from=5&in_to=9"));
    expect(boxed.toString()).toBe("q=a&in_from=5&in_to=9");
    expect(withSubset(boxed, null).toString()).toBe("q=a");
  });
});

describe("the selection of a subset", () => {
  const selected = (subset: string, range: Parameters<typeof selectionOfSubset>[0]["range"]) =>
    Object.fromEntries(selectionParameters(selectionOfSubset({ q: "a = 1", range }, read(subset))));

  test("turns a box into a range and a filter", () => {
    expect(selected("in_from=5&in_to=9&in_least_ms=1.5", { kind: "last", seconds: 60 })).toEqual({
      q: "a = 1 and duration >= 1.5 ms",
      from: "5",
      to: "9",
    });
  });

  test("stays within the selected range", () => {
    expect(selected("in_from=5&in_to=9", { kind: "between", from: 7, to: 100 })).toEqual({
      q: "a = 1",
      from: "7",
      to: "9",
    });
  });

  test("combines both filters", () => {
    expect(selected("in=b+%3D+2+or+c+%3D+3", { kind: "all" })).toEqual({
      q: "a = 1 and (b = 2 or c = 3)",
    });
  });
});

test.each([
  [0, "0 %"],
  [0.004, "< 1 %"],
  [0.097, "10 %"],
  [0.996, "> 99 %"],
  [1, "100 %"],
])("a share of %d is shown as %s", (share, text) => {
  expect(wholePercent(share)).toBe(text);
});
