import type { DocumentData, QueryDocumentSnapshot } from "firebase/firestore";
import type { Fail, Report } from "../../model/live";
import type { TallyShard } from "../../model/tally";
import { integer } from "../fields";
import { watch } from "../liveQuery";

/**
 * Follow every shard of the tally, which only an organiser may read.
 *
 * The functions keep it in several documents so that orders do not contend for one.
 */
export function watchTally(report: Report<TallyShard>, fail: Fail): () => void {
  return watch({ collection: "tally" }, readShard, report, fail);
}

function readShard(document: QueryDocumentSnapshot<DocumentData>): TallyShard {
  const data = document.data();
  return { orders: integer(data.orders), seats: integer(data.seats) };
}
