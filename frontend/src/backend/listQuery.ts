/**
 * A live query as plain data, of which both the query and its words for the trace are made.
 *
 * The words are those of the functions' queries, `db.query.text`: all that decides which index it
 * needs, and no value.
 */
import type { OrderByDirection, WhereFilterOp } from "firebase/firestore";

export interface Question {
  collection: string;
  where?: readonly (readonly [field: string, operator: WhereFilterOp, value: unknown])[];
  orderBy?: readonly (readonly [field: string, direction: OrderByDirection])[];
  limit?: number;
}

/** Such as `orders where uid == ? order by placed_at desc limit ?`. */
export function textOf({ collection, where, orderBy, limit }: Question): string {
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
