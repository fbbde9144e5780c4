import { describe, expect, test } from "vitest";
import type { SqlResult } from "../../../observatory/ui/src/api/types";
import {
  cellText,
  csv,
  isNumeric,
  isTraceId,
  sorted,
  widths,
} from "../../../observatory/ui/src/views/ask/cells";
import { withoutPosition, errorPosition } from "../../../observatory/ui/src/views/ask/error_position";
import {
  forget,
  queryHistory,
  remember,
} from "../../../observatory/ui/src/views/ask/query_history";

const TABLE: SqlResult = {
  columns: [
    { name: "hop", type: "VARCHAR" },
    { name: "count", type: "BIGINT" },
  ],
  rows: [
    ["task", 10],
    [null, 9],
    ["pubsub", null],
    ["pubsub", 100],
  ],
  truncated: false,
  elapsed_ms: 1,
};

describe("rows are sorted by a column", () => {
  const column = (index: number, descending: boolean) =>
    sorted(TABLE, { column: index, descending }).map((row) => row[index]);

  test("numbers by size, and what is nothing last whichever way", () => {
    expect(column(1, false)).toEqual([9, 10, 100, null]);
    expect(column(1, true)).toEqual([100, 10, 9, null]);
  });

  test("text by its letters", () => {
    expect(column(0, false)).toEqual(["pubsub", "pubsub", "task", null]);
  });

  test("or are left as they came", () => {
    expect(sorted(TABLE, null)).toBe(TABLE.rows);
  });

  test("numbers too large for a double are told apart", () => {
    const rows = [["1795527784554927027"], ["1795527784554927026"]];
    const table = { ...TABLE, columns: [{ name: "at", type: "BIGINT" }], rows };
    const [first] = sorted(table, { column: 0, descending: false });
    expect(first).toEqual(["1795527784554927026"]);
  });
});

describe("values as text", () => {
  test.each([
    [null, ""],
    ["<b>", "<b>"],
    [1.23456789, "1.234568"],
    [1795527784554, "1795527784554"],
    [true, "true"],
    [{ a: [1, 2] }, '{"a":[1,2]}'],
  ])("%j is %j", (value, text) => {
    expect(cellText(value)).toBe(text);
  });

  test("numbers are those that the database says are", () => {
    const types = [
      "BIGINT",
      "UINTEGER",
      "DOUBLE",
      "DECIMAL(18,3)",
      "VARCHAR",
      "TIMESTAMP",
      "INTEGER[]",
    ];
    expect(types.map((type) => isNumeric({ name: "x", type }))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test("a trace id can be opened; nothing else can", () => {
    expect(isTraceId("002bedd90ce880341e51439f9c1b3e31")).toBe(true);
    expect(isTraceId("002bedd90ce880341e51439f9c1b3e3")).toBe(false);
    expect(isTraceId(12)).toBe(false);
  });

  test("a column is as wide as its first values, within reason", () => {
    const table = { ...TABLE, rows: [["x".repeat(400), 1]] };
    const [long = 0, short = 0] = widths(table);
    expect(long).toBeLessThan(60);
    expect(short).toBeLessThan(long);
  });

  test("CSV quotes what would be read otherwise", () => {
    expect(csv(TABLE.columns, [['say "a", b\n', 1]])).toBe('hop,count\r\n"say ""a"", b\n",1\r\n');
  });
});

describe("an error's place in the question", () => {
  test("is read from the line and the caret", () => {
    const message = "Catalog Error: …\n\nLINE 2: FROM spanz\n             ^";
    expect(errorPosition("SELECT name\nFROM spanz", message)).toEqual({
      index: 17,
      line: 2,
      column: 6,
      text: "FROM spanz",
    });
  });

  test("also when the message has a part of the line only", () => {
    const before = "SELECT ".padEnd(90, "a, ");
    const sql = `${before}wrong FROM spans`;
    const part = sql.slice(60, 100);
    const message = `Binder Error: …\n\nLINE 1: ...${part}...\n${" ".repeat(8 + 3 + 30)}^`;
    expect(errorPosition(sql, message)).toMatchObject({ index: 90, line: 1 });
  });

  test("also when the database counts a line that is not the question's", () => {
    const message = "Catalog Error: …\n\nLINE 3: FROM spanz\n             ^";
    expect(errorPosition("SELECT name\nFROM spanz", message)).toMatchObject({ line: 2, column: 6 });
    expect(withoutPosition(message)).toBe("Catalog Error: …");
  });

  test("or there is none", () => {
    expect(errorPosition("SELECT 1", "Took longer than 10 s")).toBeNull();
    expect(errorPosition("SELECT 1", "LINE 7: x\n        ^")).toBeNull();
  });
});

describe("past questions", () => {
  class Kept implements Pick<Storage, "getItem" | "setItem" | "removeItem"> {
    items = new Map<string, string>();
    getItem = (name: string) => this.items.get(name) ?? null;
    setItem = (name: string, value: string) => void this.items.set(name, value);
    removeItem = (name: string) => void this.items.delete(name);
  }

  test("are kept, the latest first, each once", () => {
    const storage = new Kept();
    for (const sql of ["a", "b", "a"]) remember(storage, sql);
    expect(queryHistory(storage)).toEqual(["a", "b"]);
    forget(storage);
    expect(queryHistory(storage)).toEqual([]);
  });

  test("are none where the browser keeps something else, or refuses", () => {
    const storage = new Kept();
    storage.setItem("observatory.ask.history", "{nonsense");
    expect(queryHistory(storage)).toEqual([]);
    const refusing = {
      getItem: () => {
        throw new Error("refused");
      },
    };
    expect(queryHistory(refusing)).toEqual([]);
  });
});
