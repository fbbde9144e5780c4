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
import type { Fail, Report } from "../model/live";
import { withTracing } from "../tracing/load";
import { firestore } from "./firebase";
import { type ListQuery, queryText } from "./listQuery";

/**
 * Follow the documents that match `listQuery`, each converted by `read`.
 *
 * Metadata changes are reported too: they tell when the server has confirmed a write, and when the
 * connection is lost and restored.
 *
 * @returns a function that stops following them.
 */
export function watch<T>(
  listQuery: ListQuery,
  read: (document: QueryDocumentSnapshot<DocumentData>) => T,
  report: Report<T>,
  fail: Fail,
): () => void {
  const began = Date.now();
  let isAnswered = false;
  const asked = {
    line: __SOURCE_LINE__,
    collection: listQuery.collection,
    text: queryText(listQuery),
    limit: listQuery.limit,
  };
  const answered = (result: { rows?: number; error?: Error }) => {
    if (isAnswered) return;
    isAnswered = true;
    withTracing((tracing) => tracing.listened({ ...asked, began, ...result }));
  };
  return onSnapshot(
    firestoreQuery(listQuery),
    { includeMetadataChanges: true },
    (snapshot) => {
      const connected = !snapshot.metadata.fromCache;
      const removed = snapshot.docChanges().filter(({ type }) => type === "removed");
      if (removed.length > 0) {
        const departure = { ...asked, ids: removed.map(({ doc }) => doc.id), rows: snapshot.size };
        withTracing((tracing) => tracing.left(departure));
      }
      if (connected) answered({ rows: snapshot.size });
      report({ items: snapshot.docs.map(read), connected });
    },
    (error) => {
      answered({ error });
      fail(error);
    },
  );
}

function firestoreQuery(listQuery: ListQuery): Query {
  return query(
    collection(firestore, listQuery.collection),
    ...(listQuery.where ?? []).map((filter) => where(...filter)),
    ...(listQuery.orderBy ?? []).map((ordering) => orderBy(...ordering)),
    ...(listQuery.limit === undefined ? [] : [limit(listQuery.limit)]),
  );
}
