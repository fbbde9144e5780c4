/** The tally that the functions keep in parts, so that orders need not wait for each other. */
import type { DocumentData, QueryDocumentSnapshot } from "firebase/firestore";
import type { Part } from "../../model/tally";
import { integer } from "../fields";
import { type Live, watch } from "../liveQuery";

/** Follows every part of the tally. Only an organiser may. */
export function watchTally(
  report: (live: Live<Part>) => void,
  fail: (error: Error) => void,
): () => void {
  return watch({ collection: "tally" }, readPart, report, fail);
}

function readPart(document: QueryDocumentSnapshot<DocumentData>): Part {
  const data = document.data();
  return { orders: integer(data.orders), seats: integer(data.seats) };
}
