import { describe, expect, test } from "vitest";
import type { Heatmap } from "../../../observatory/ui/src/api/types";
import { cellsOf, moved } from "../../../observatory/ui/src/views/overview/heatmap_cursor";
import { levelOf } from "../../../observatory/ui/src/views/overview/heatmap_levels";
import {
  boxOf,
  cellAt,
  cellsBetween,
  columnsOf,
  contentOf,
  durationTicks,
  timeTickAnchor,
  timeTicks,
  timeTicksIn,
  xOf,
  yOf,
} from "../../../observatory/ui/src/views/overview/heatmap_scale";
import {
  alignedColumns,
  columnsThatFit,
} from "../../../observatory/ui/src/views/overview/time_columns";

const start = new Date(2026, 0, 5, 14, 0, 0).getTime();

/** Fifteen minutes in 15 columns; 1 ms to 10 s in 4 rows of a decade. */
const heatmap: Heatmap = {
  from_ms: start,
  to_ms: start + 900_000,
  column_ms: 60_000,
  rows: [1, 10, 100, 1000].map((least_ms) => ({ least_ms, most_ms: least_ms * 10 })),
  cells: [
    [0, 0, 5, 0],
    [3, 2, 2, 1],
    [4, 3, 1, 1],
  ],
  total: 8,
  outside: 0,
  errors: 2,
  p50_ms: 5,
  p95_ms: 2000,
  p99_ms: 2000,
  orders: 8,
  coverage: 1,
  orphans: 0,
};

describe("positions in the heatmap", () => {
  test("the time axis is linear, the duration axis logarithmic", () => {
    expect(columnsOf(heatmap)).toBe(15);
    expect(xOf(heatmap, start + 450_000)).toBe(0.5);
    expect(yOf(heatmap, 100)).toBeCloseTo(0.5);
    expect(yOf(heatmap, 31.62)).toBeCloseTo(0.375, 3);
    expect(yOf(heatmap, 0.1)).toBe(0);
    expect(yOf(heatmap, 1e9)).toBe(1);
  });

  test("positions outside map to the outermost cells", () => {
    expect(cellAt(heatmap, 0.5, 0.5)).toEqual({ column: 7, row: 2 });
    expect(cellAt(heatmap, -1, 2)).toEqual({ column: 0, row: 3 });
  });

  test("a box has the bounds of its cells, and no bound at the edges", () => {
    const middle = cellsBetween({ column: 4, row: 2 }, { column: 3, row: 1 });
    expect(boxOf(heatmap, middle)).toEqual({
      from: start + 180_000,
      to: start + 300_000,
      minMs: 10,
      maxMs: 1000,
    });
    const all = cellsBetween({ column: 0, row: 0 }, { column: 14, row: 3 });
    expect(boxOf(heatmap, all)).toMatchObject({ minMs: null, maxMs: null });
    expect(contentOf(heatmap, middle)).toEqual({ count: 2, errors: 1 });
    expect(contentOf(heatmap, all)).toEqual({ count: 8, errors: 2 });
  });

  test("ticks are round and do not overlap", () => {
    expect(timeTicks(heatmap, 4).map(({ text }) => text)).toEqual(["14:00", "14:05", "14:10"]);
    expect(durationTicks(heatmap, 0.2).map(({ text }) => text)).toEqual([
      "1 ms",
      "10 ms",
      "100 ms",
      "1 s",
      "10 s",
    ]);
    const few = durationTicks(heatmap, 0.4);
    for (const [index, { at }] of few.slice(1).entries())
      expect(at - (few[index]?.at ?? 0)).toBeGreaterThanOrEqual(0.4);
  });

  test("the labels of times with seconds do not overlap, however the range begins", () => {
    const [labelPx, widthPx] = [56, 330];
    for (let shift = 0; shift < 1000; shift += 50) {
      const from_ms = start + shift;
      const ticks = timeTicksIn({ ...heatmap, from_ms, to_ms: from_ms + 4000 }, widthPx);
      expect(ticks.length).toBeGreaterThan(1);
      const before = { start: 0, middle: labelPx / 2, end: labelPx };
      const lefts = ticks.map((tick) => tick.at * widthPx - before[timeTickAnchor(tick)]);
      for (const [index, left] of lefts.slice(1).entries())
        expect(left).toBeGreaterThan((lefts[index] ?? 0) + labelPx);
    }
  });

  test("more traces give a higher colour level", () => {
    expect([1, 2, 10, 100].map((traces) => levelOf(traces, 100))).toEqual([1, 2, 4, 6]);
    expect(levelOf(1, 1)).toBe(3);
  });
});

describe("columns of a round length", () => {
  test("do not move while time passes within a column", () => {
    const one = alignedColumns({ kind: "last", seconds: 900 }, 56, 1_000_000_000);
    const other = alignedColumns({ kind: "last", seconds: 900 }, 56, 1_000_000_000 + 9_000);
    expect(one).toEqual(other);
    expect(one.columns).toBe(45);
    const { range } = one;
    if (range.kind !== "between") throw new Error("the range is not fixed");
    expect(range.to).toBeGreaterThan(1_000_000_000);
    expect(range.from).toBeLessThanOrEqual(1_000_000_000 - 880_000);
  });

  test.each([60, 300, 900, 3600, 86_400])("do not change when %d s are paused", (seconds) => {
    for (const columnsMax of [20, 41, 56]) {
      const live = alignedColumns({ kind: "last", seconds }, columnsMax, 1_000_000_123);
      expect(live.columns).toBeLessThanOrEqual(columnsMax);
      expect(alignedColumns(live.range, columnsMax, 5)).toEqual(live);
    }
  });

  test("are more on a wider page", () => {
    expect(columnsThatFit(360)).toBe(20);
    expect(columnsThatFit(1440)).toBeGreaterThan(50);
    expect(columnsThatFit(4000)).toBe(columnsThatFit(1440));
  });
});

describe("moving the cursor by keyboard", () => {
  const size = { columns: 15, rows: 4 };
  const cursor = { column: 3, row: 2, anchor: null };

  test("moves by one cell and stops at the edges", () => {
    expect(moved(cursor, "ArrowUp", false, size)).toMatchObject({ column: 3, row: 3 });
    expect(moved(cursor, "PageUp", false, size)).toMatchObject({ row: 3 });
    expect(moved(cursor, "End", false, size)).toMatchObject({ column: 14 });
    expect(moved(cursor, "a", false, size)).toBe(null);
  });

  test("grows a box with Shift", () => {
    const once = moved(cursor, "ArrowLeft", true, size);
    const twice = once && moved(once, "ArrowDown", true, size);
    expect(twice && cellsOf(twice)).toEqual({ left: 2, right: 3, bottom: 1, top: 2 });
    expect(twice && moved(twice, "ArrowUp", false, size)).toMatchObject({ anchor: null });
  });
});
