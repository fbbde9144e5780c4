/** Live queries: snapshots of Firestore in, lists of plain values out. */
import {
  collection,
  type DocumentData,
  limit,
  onSnapshot,
  orderBy,
  type Query,
  type QueryDocumentSnapshot,
  query,
  where,
} from "firebase/firestore";
import { tell } from "../tracing/load";
import { firestore } from "./firebase";
import { type Question, textOf } from "./listQuery";

/** What a live query shows at a moment. */
export interface Live<T> {
  items: T[];
  /** False while the list comes from memory because the server cannot be reached. */
  connected: boolean;
}

/**
 * Follows the documents that `question` asks for, each read by `read`; returns what stops it.
 *
 * Metadata changes are reported too: they tell when the server has confirmed a write, and when the
 * connection to it is lost and found.
 */
export function watch<T>(
  question: Question,
  read: (document: QueryDocumentSnapshot<DocumentData>) => T,
  report: (live: Live<T>) => void,
  fail: (error: Error) => void,
): () => void {
  const began = Date.now();
  let isAnswered = false;
  const answered = (error?: Error) => {
    if (isAnswered) return;
    isAnswered = true;
    const about = {
      line: __SOURCE_LINE__,
      collection: question.collection,
      text: textOf(question),
      began,
      error,
    };
    tell((tracing) => tracing.listened(about));
  };
  return onSnapshot(
    queryOf(question),
    { includeMetadataChanges: true },
    (snapshot) => {
      const connected = !snapshot.metadata.fromCache;
      if (connected) answered();
      report({ items: snapshot.docs.map(read), connected });
    },
    (error) => {
      answered(error);
      fail(error);
    },
  );
}

function queryOf(question: Question): Query {
  return query(
    collection(firestore, question.collection),
    ...(question.where ?? []).map((filter) => where(...filter)),
    ...(question.orderBy ?? []).map((ordering) => orderBy(...ordering)),
    ...(question.limit === undefined ? [] : [limit(question.limit)]),
  );
}
