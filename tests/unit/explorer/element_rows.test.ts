import { describe, expect, test } from "vitest";
import {
  offsetOf,
  type Rows,
  rowsToRender,
} from "../../../observatory/ui/src/scrolling/element_rows";

const PLAIN: Rows = { count: 10_000, rowPx: 30, extra: [] };
const OPENED: Rows = {
  count: 10_000,
  rowPx: 30,
  extra: [
    { index: 2, px: 100 },
    { index: 50, px: 70 },
  ],
};

describe("rendering only visible rows", () => {
  test("includes some rows around them, and leaves space for the others", () => {
    const rendered = rowsToRender(PLAIN, 3_000, 600);
    expect(rendered.first).toBe(92);
    expect(rendered.end).toBe(129);
    expect(rendered.abovePx).toBe(92 * 30);
    const heightPx = (rendered.end - rendered.first) * 30;
    expect(rendered.abovePx + heightPx + rendered.belowPx).toBe(300_000);
  });

  test("stays within the first and the last row", () => {
    expect(rowsToRender(PLAIN, 0, 600)).toMatchObject({ first: 0, abovePx: 0 });
    expect(rowsToRender(PLAIN, 299_400, 600)).toMatchObject({ end: 10_000, belowPx: 0 });
    expect(rowsToRender(PLAIN, 9e9, 600)).toMatchObject({ end: 10_000, belowPx: 0 });
  });

  test("renders no row of an empty list, and all rows of a short one", () => {
    expect(rowsToRender({ ...PLAIN, count: 0 }, 0, 600)).toMatchObject({ first: 0, end: 0 });
    expect(rowsToRender({ ...PLAIN, count: 3 }, 0, 600)).toMatchObject({ first: 0, end: 3 });
  });
});

describe("a row with extra height", () => {
  test("moves the rows below it, but not itself", () => {
    expect(offsetOf(OPENED, 2)).toBe(60);
    expect(offsetOf(OPENED, 3)).toBe(190);
    expect(offsetOf(OPENED, 51)).toBe(51 * 30 + 170);
  });

  test("changes which rows are visible", () => {
    const rendered = rowsToRender(OPENED, 1_530 + 100, 300);
    const heightPx = offsetOf(OPENED, rendered.end) - offsetOf(OPENED, rendered.first);
    expect(rendered.first).toBeLessThanOrEqual(50);
    expect(rendered.abovePx + heightPx + rendered.belowPx).toBe(300_170);
  });
});
