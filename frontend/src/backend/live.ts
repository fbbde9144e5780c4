/** Live queries: snapshots of Firestore in, lists of plain values out. */
import {
  type DocumentData,
  onSnapshot,
  type Query,
  type QueryDocumentSnapshot,
} from "firebase/firestore";

/** What a live query shows at a moment. */
export interface Live<T> {
  items: T[];
  /** False while the list comes from memory because the server cannot be reached. */
  connected: boolean;
}

/**
 * Follows `query`, each document read by `read`; returns what stops it.
 *
 * Metadata changes are reported too: they tell when the server has confirmed a write, and when the
 * connection to it is lost and found.
 */
export function watch<T>(
  query: Query,
  read: (document: QueryDocumentSnapshot<DocumentData>) => T,
  report: (live: Live<T>) => void,
  fail: (error: Error) => void,
): () => void {
  return onSnapshot(
    query,
    { includeMetadataChanges: true },
    (snapshot) => {
      report({ items: snapshot.docs.map(read), connected: !snapshot.metadata.fromCache });
    },
    fail,
  );
}
