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
import {
  errorPosition,
  withoutPosition,
} from "../../../observatory/ui/src/views/ask/error_position";
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

describe("sorting rows by a column", () => {
  const column = (index: number, descending: boolean) =>
    sorted(TABLE, { column: index, descending }).map((row) => row[index]);

  test("sorts numbers by size, with nulls last in both directions", () => {
    expect(column(1, false)).toEqual([9, 10, 100, null]);
    expect(column(1, true)).toEqual([100, 10, 9, null]);
  });

  test("sorts text alphabetically", () => {
    expect(column(0, false)).toEqual(["pubsub", "pubsub", "task", null]);
  });

  test("keeps the query's order if no column is chosen", () => {
    expect(sorted(TABLE, null)).toBe(TABLE.rows);
  });

  test("orders integers too large for a double", () => {
    const rows = [["1795527784554927027"], ["1795527784554927026"]];
    const table = { ...TABLE, columns: [{ name: "at", type: "BIGINT" }], rows };
    const [first] = sorted(table, { column: 0, descending: false });
    expect(first).toEqual(["1795527784554927026"]);
  });
});

describe("formatting values", () => {
  test.each([
    [null, ""],
    ["<b>", "<b>"],
    [1.23456789, "1.234568"],
    [1795527784554, "1795527784554"],
    [true, "true"],
    [{ a: [1, 2] }, '{"a":[1,2]}'],
  ])("%j is shown as %j", (value, text) => {
    expect(cellText(value)).toBe(text);
  });

  test("a column is numeric by its type", () => {
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

  test("only trace ids are links", () => {
    expect(isTraceId("002bedd90ce880341e51439f9c1b3e31")).toBe(true);
    expect(isTraceId("002bedd90ce880341e51439f9c1b3e3")).toBe(false);
    expect(isTraceId(12)).toBe(false);
  });

  test("column widths follow the first values, within limits", () => {
    const table = { ...TABLE, rows: [["x".repeat(400), 1]] };
    const [long = 0, short = 0] = widths(table);
    expect(long).toBeLessThan(60);
    expect(short).toBeLessThan(long);
  });

  test("CSV quotes separators, quotes and line breaks", () => {
    expect(csv(TABLE.columns, [['say "a", b\n', 1]])).toBe('hop,count\r\n"say ""a"", b\n",1\r\n');
  });
});

describe("the position of a database error in the query", () => {
  test("is parsed from the quoted line and the caret", () => {
    const message = "Catalog Error: …\n\nLINE 2: FROM spanz\n             ^";
    expect(errorPosition("SELECT name\nFROM spanz", message)).toEqual({
      index: 17,
      line: 2,
      column: 6,
      text: "FROM spanz",
    });
  });

  test("is found if the message quotes only a part of the line", () => {
    const before = "SELECT ".padEnd(90, "a, ");
    const sql = `${before}wrong FROM spans`;
    const part = sql.slice(60, 100);
    const message = `Binder Error: …\n\nLINE 1: ...${part}...\n${" ".repeat(8 + 3 + 30)}^`;
    expect(errorPosition(sql, message)).toMatchObject({ index: 90, line: 1 });
  });

  test("is found if the line number is off by one", () => {
    const message = "Catalog Error: …\n\nLINE 3: FROM spanz\n             ^";
    expect(errorPosition("SELECT name\nFROM spanz", message)).toMatchObject({ line: 2, column: 6 });
    expect(withoutPosition(message)).toBe("Catalog Error: …");
  });

  test("is null if the message has none", () => {
    expect(errorPosition("SELECT 1", "Took longer than 10 s")).toBeNull();
    expect(errorPosition("SELECT 1", "LINE 7: x\n        ^")).toBeNull();
  });
});

describe("the query history", () => {
  class MemoryStorage implements Pick<Storage, "getItem" | "setItem" | "removeItem"> {
    items = new Map<string, string>();
    getItem = (name: string) => this.items.get(name) ?? null;
    setItem = (name: string, value: string) => void this.items.set(name, value);
    removeItem = (name: string) => void this.items.delete(name);
  }

  test("keeps each query once, latest first", () => {
    const storage = new MemoryStorage();
    for (const sql of ["a", "b", "a"]) remember(storage, sql);
    expect(queryHistory(storage)).toEqual(["a", "b"]);
    forget(storage);
    expect(queryHistory(storage)).toEqual([]);
  });

  test("is empty if storage is invalid or refused", () => {
    const storage = new MemoryStorage();
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
