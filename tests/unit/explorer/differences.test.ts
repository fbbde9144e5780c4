/** The logic of the diff view, without rendering. */
import { expect, test } from "vitest";
import type { DiffRow, Verdict } from "../../../observatory/ui/src/api/types";
import { withoutPackage } from "../../../observatory/ui/src/format";
import {
  countByVerdict,
  deltaText,
  differing,
} from "../../../observatory/ui/src/views/diff/differences";

const row = (
  key: string,
  depth: number,
  verdict: Verdict,
  delta_ms: number | null = 0,
): DiffRow => ({
  key,
  hop: null,
  service: "page",
  name: key,
  depth,
  left: null,
  right: null,
  delta_ms,
  verdict,
});

test("filtering keeps differing rows and their ancestors", () => {
  const rows = [
    row("buy", 0, "same"),
    row("tokens", 1, "same"),
    row("create", 1, "same"),
    row("reserve", 2, "slower", 40),
    row("commit", 3, "same"),
    row("sweep", 0, "same"),
  ];
  expect(differing(rows).map(({ key }) => key)).toEqual(["buy", "create", "reserve"]);
  expect(differing([])).toEqual([]);
  expect(countByVerdict(rows)).toMatchObject({ same: 5, slower: 1, missing: 0 });
});

test("a difference is a signed duration or a word", () => {
  expect(deltaText(row("a", 0, "slower", 412))).toBe("+412 ms");
  expect(deltaText(row("a", 0, "faster", -1200))).toBe("−1.20 s");
  expect(deltaText(row("a", 0, "missing", null))).toBe("missing");
  expect(deltaText(row("a", 0, "same", 0.2))).toBe("same");
});

test("RPC names are shown without their package", () => {
  expect(withoutPackage("It has /google.firestore.v1.Firestore/Commit of reserve.")).toBe(
    "It has Firestore/Commit of reserve.",
  );
  expect(withoutPackage("POST /charges/v1.2/x")).toBe("POST /charges/v1.2/x");
});
