import { describe, expect, test } from "vitest";
import type { MetricPoint } from "../../../observatory/ui/src/api/types";
import { chartLines, LINES_MAX } from "../../../observatory/ui/src/views/metrics/chart_lines";
import { shortNumber, unitText, valueText } from "../../../observatory/ui/src/views/metrics/units";

function metricOf(...series: [attributes: Record<string, string>, points: MetricPoint[]][]) {
  const all = series.map(([attributes, points]) => ({ attributes, instance: {}, points }));
  return { series: all, quantiles: null, rate: false };
}

describe("the lines of a chart", () => {
  test("have gaps where a series has no point", () => {
    const chart = chartLines(metricOf([{ a: "x" }, [[1000, 1]]], [{ a: "y" }, [[2000, 2]]]));
    expect(chart.times).toEqual([1, 2]);
    expect(chart.lines).toEqual([
      { label: "y", values: [null, 2] },
      { label: "x", values: [1, null] },
    ]);
  });

  test("are labelled by the attributes in which they differ", () => {
    const one = { trigger: "task", cold: "no" };
    const chart = chartLines(
      metricOf([one, [[1000, 1]]], [{ ...one, trigger: "pubsub" }, [[1000, 2]]]),
    );
    expect(chart.lines.map(({ label }) => label)).toEqual(["pubsub", "task"]);
  });

  test("are labelled by all attributes, or `value`, if there is one series", () => {
    expect(chartLines(metricOf([{ a: "x", b: "y" }, [[1, 1]]])).lines[0]?.label).toBe("x · y");
    expect(chartLines(metricOf([{}, [[1, 1]]])).lines[0]?.label).toBe("value");
  });

  test("are labelled by instance if two processes send the same series", () => {
    const series = ["a-1", "b-2"].map((id) => ({
      attributes: { route: "/buy" },
      instance: { "service.instance.id": id },
      points: [[1000, 1]] as MetricPoint[],
    }));
    const chart = chartLines({ series, quantiles: null, rate: false });
    expect(chart.lines.map(({ label }) => label)).toEqual(["a-1", "b-2"]);
  });

  test("are limited in number, highest first", () => {
    const many = Array.from(
      { length: LINES_MAX + 3 },
      (_, index): [Record<string, string>, MetricPoint[]] => [{ n: String(index) }, [[1, index]]],
    );
    const chart = chartLines(metricOf(...many));
    expect(chart.lines).toHaveLength(LINES_MAX);
    expect(chart.lines[0]?.label).toBe(String(LINES_MAX + 2));
    expect(chart.hidden).toBe(3);
  });

  test("are p50 and p95 for a histogram", () => {
    const quantiles = { p50: [[1000, 5]] as MetricPoint[], p95: [[1000, 9]] as MetricPoint[] };
    const chart = chartLines({ series: [], quantiles, rate: false });
    expect(chart.lines.map(({ label }) => label)).toEqual(["p50", "p95"]);
  });
});

describe("formatting values with their unit", () => {
  test.each([
    [0.212, "s", false, "212 ms"],
    [80_400_000, "By", false, "80.4 MB"],
    [12, "{message}", false, "12"],
    [1.25, "{message}", true, "1.25/s"],
    [2_000_000, "By", true, "2 MB/s"],
    [43.21, "Cel", false, "43.2 Cel"],
    [null, "s", false, "–"],
    [Number.NaN, "1", false, "–"],
  ])("%s %s (rate: %s) is %s", (value, unit, rate, text) => {
    expect(valueText(value, unit, rate)).toBe(text);
  });

  test("numbers have three significant digits", () => {
    expect([0.04211, 12_400, 1_234_567, 2.5e9].map(shortNumber)).toEqual([
      "0.0421",
      "12,400",
      "1.23 M",
      "2.5 G",
    ]);
  });

  test("units in braces are words, and `1` has no unit text", () => {
    expect(unitText("{message}")).toBe("message");
    expect(unitText("1")).toBe("");
  });
});
