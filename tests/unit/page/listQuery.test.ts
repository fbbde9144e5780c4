/** A live query as plain data: the query that is made of it, and its text on spans. */
import { expect, test } from "vitest";
import { type ListQuery, queryText } from "../../../frontend/src/backend/listQuery";

test.each<[ListQuery, string]>([
  [{ collection: "orders" }, "orders"],
  [{ collection: "shows", orderBy: [["rank", "asc"]] }, "shows order by rank asc"],
  [
    {
      collection: "orders",
      where: [
        ["uid", "==", "somebody"],
        ["state", "in", ["paid"]],
      ],
      orderBy: [
        ["placed_at", "desc"],
        ["seats", "asc"],
      ],
      limit: 50,
    },
    "orders where uid == ? and state in ? order by placed_at desc, seats asc limit ?",
  ],
])("a query's text has fields and operators but no values", (listQuery, text) => {
  expect(queryText(listQuery)).toBe(text);
});
