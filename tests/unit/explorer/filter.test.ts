import { describe, expect, test } from "vitest";
import {
  expectedAt,
  quoted,
  traceIn,
  unquoted,
  wrongPart,
} from "../../../observatory/ui/src/navigation/filter_syntax";

describe("the filter box knows what may come where the caret is", () => {
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
  ])("%s", (marked, part, key, prefix) => {
    const caret = marked.indexOf("‸");
    expect(expectedAt(marked.replace("‸", ""), caret)).toMatchObject({ part, key, prefix });
  });

  test("and which word a suggestion takes the place of", () => {
    expect(expectedAt("a = 1 and stat = 2", 12)).toMatchObject({ from: 10, to: 14 });
  });
});

test("a value is quoted unless it is a number or a truth value", () => {
  expect(quoted("night-ferry")).toBe('"night-ferry"');
  expect(quoted("2.5")).toBe("2.5");
  expect(quoted("true")).toBe("true");
  expect(quoted('say "so" \\')).toBe('"say \\"so\\" \\\\"');
  for (const value of ['say "so" \\', "plain"]) expect(unquoted(quoted(value))).toBe(value);
  expect(unquoted('"half')).toBe("half");
});

test("what is wrong with a filter is the word at the position, or its end", () => {
  expect(wrongPart("a == b", 3)).toEqual(["a =", "=", " b"]);
  expect(wrongPart("a = ", 4)).toEqual(["a = ", "", ""]);
  expect(wrongPart("a", 99)).toEqual(["a", "", ""]);
});

describe("who brings a trace's name wants the trace", () => {
  const id = "0af7651916cd43dd8448eb211c80319c";
  test("as an id, or as the traceparent of a header or a document", () => {
    expect(traceIn(` ${id.toUpperCase()} `)).toEqual({ traceId: id, spanId: null });
    const span = "b7ad6b7169203331";
    expect(traceIn(`00-${id}-${span}-01`)).toEqual({ traceId: id, spanId: span });
  });
  test("anything else is a filter", () => {
    for (const text of ["", "0af7651916cd", `trace = ${id}`, `${id}x`])
      expect(traceIn(text)).toBeNull();
  });
});
