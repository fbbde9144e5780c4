import type { OrderByDirection, WhereFilterOp } from "firebase/firestore";

/** A live query as plain data, from which both Firestore's query and its text on spans are built. */
export interface ListQuery {
  collection: string;
  where?: readonly (readonly [field: string, operator: WhereFilterOp, value: unknown])[];
  orderBy?: readonly (readonly [field: string, direction: OrderByDirection])[];
  limit?: number;
}

/**
 * Write a query as `db.query.text`, such as
 * `orders where uid == ? order by placed_at desc limit ?`.
 *
 * The functions' spans use the same form: everything that decides which index the query needs, and
 * no values.
 */
export function queryText({ collection, where, orderBy, limit }: ListQuery): string {
  const filters = where?.map(([field, operator]) => `${field} ${operator} ?`).join(" and ");
  const orderings = orderBy?.map((ordering) => ordering.join(" ")).join(", ");
  return [
    collection,
    filters && ` where ${filters}`,
    orderings && ` order by ${orderings}`,
    limit !== undefined && " limit ?",
  ]
    .filter(Boolean)
    .join("");
}
