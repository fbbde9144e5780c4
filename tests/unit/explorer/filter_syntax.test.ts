import { describe, expect, test } from "vitest";
import {
  expectedAt,
  markError,
  quoted,
  traceIn,
  unquoted,
} from "../../../observatory/ui/src/navigation/filter_syntax";

describe("completion at the caret", () => {
  // ‸ is the caret.
  test.each([
    ["‸", "key", "", ""],
    ["dur‸", "key", "", "dur"],
    ["dur‸ation > 2", "key", "", "dur"],
    ["duration ‸", "operator", "duration", ""],
    ["duration >‸", "operator", "duration", ">"],
    ["duration > ‸", "value", "duration", ""],
    ["show.id = nig‸", "value", "show.id", "nig"],
    ['show.id = "nig‸', "value", "show.id", '"nig'],
    ['show.id = "a b‸"', "value", "show.id", '"a b'],
    ["duration > 2 ‸", "joiner", "", ""],
    ["duration > 2 s ‸", "joiner", "", ""],
    ["duration > 2 s an‸", "joiner", "", "an"],
    ["duration > 2 s and ‸", "key", "", ""],
    ["duration > 2 s and sta‸", "key", "", "sta"],
    ["not (‸", "key", "", ""],
    ["(error = true) ‸", "joiner", "", ""],
    ["http.route exists ‸", "joiner", "", ""],
    ['name = "a and b = c" ‸', "joiner", "", ""],
    ["declined ‸", "operator", "declined", ""],
  ])("%s", (marked, kind, key, prefix) => {
    const caret = marked.indexOf("‸");
    expect(expectedAt(marked.replace("‸", ""), caret)).toMatchObject({ kind, key, prefix });
  });

  test("finds the word that a suggestion replaces", () => {
    expect(expectedAt("a = 1 and stat = 2", 12)).toMatchObject({ from: 10, to: 14 });
  });
});

test("values are quoted unless they are numbers or booleans", () => {
  expect(quoted("night-ferry")).toBe('"night-ferry"');
  expect(quoted("2.5")).toBe("2.5");
  expect(quoted("true")).toBe("true");
  expect(quoted('say "so" \\')).toBe('"say \\"so\\" \\\\"');
  for (const value of ['say "so" \\', "plain"]) expect(unquoted(quoted(value))).toBe(value);
  expect(unquoted('"half')).toBe("half");
});

test("an error marks the word at its position, or the end of the filter", () => {
  expect(markError("a == b", 3)).toEqual(["a =", "=", " b"]);
  expect(markError("a = ", 4)).toEqual(["a = ", "", ""]);
  expect(markError("a", 99)).toEqual(["a", "", ""]);
});

describe("pasting a trace id", () => {
  const id = "0af7651916cd43dd8448eb211c80319c";
  test("recognises ids and traceparent values", () => {
    expect(traceIn(` ${id.toUpperCase()} `)).toEqual({ traceId: id, spanId: null });
    const span = "b7ad6b7169203331";
    expect(traceIn(`00-${id}-${span}-01`)).toEqual({ traceId: id, spanId: span });
  });
  test("treats anything else as a filter", () => {
    for (const text of ["", "0af7651916cd", `trace = ${id}`, `${id}x`])
      expect(traceIn(text)).toBeNull();
  });
});
