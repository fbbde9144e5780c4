import { describe, expect, test } from "vitest";
import { rowsInSight, offsetOf, type Rows } from "../../../observatory/ui/src/scrolling/element_rows";

const PLAIN: Rows = { count: 10_000, rowPx: 30, more: [] };
const OPENED: Rows = {
  count: 10_000,
  rowPx: 30,
  more: [
    { index: 2, px: 100 },
    { index: 50, px: 70 },
  ],
};

describe("only rows in sight are drawn", () => {
  test("with some around them, and empty space for all the others", () => {
    const sight = rowsInSight(PLAIN, 3_000, 600);
    expect(sight.first).toBe(92);
    expect(sight.end).toBe(129);
    expect(sight.abovePx).toBe(92 * 30);
    expect(sight.abovePx + (sight.end - sight.first) * 30 + sight.belowPx).toBe(300_000);
  });

  test("from the first, and to the last", () => {
    expect(rowsInSight(PLAIN, 0, 600)).toMatchObject({ first: 0, abovePx: 0 });
    expect(rowsInSight(PLAIN, 299_400, 600)).toMatchObject({ end: 10_000, belowPx: 0 });
    expect(rowsInSight(PLAIN, 9e9, 600)).toMatchObject({ end: 10_000, belowPx: 0 });
  });

  test("none when there are none, all when there are few", () => {
    expect(rowsInSight({ ...PLAIN, count: 0 }, 0, 600)).toMatchObject({ first: 0, end: 0 });
    expect(rowsInSight({ ...PLAIN, count: 3 }, 0, 600)).toMatchObject({ first: 0, end: 3 });
  });
});

describe("an opened row moves what is below it", () => {
  test("and not itself", () => {
    expect(offsetOf(OPENED, 2)).toBe(60);
    expect(offsetOf(OPENED, 3)).toBe(190);
    expect(offsetOf(OPENED, 51)).toBe(51 * 30 + 170);
  });

  test("so other rows are in sight", () => {
    const sight = rowsInSight(OPENED, 1_530 + 100, 300);
    const height = offsetOf(OPENED, sight.end) - offsetOf(OPENED, sight.first);
    expect(sight.first).toBeLessThanOrEqual(50);
    expect(sight.abovePx + height + sight.belowPx).toBe(300_170);
  });
});
