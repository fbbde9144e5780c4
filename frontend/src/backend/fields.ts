/** Readers of single fields, which a document may lack or hold with another type. */
import { Timestamp } from "firebase/firestore";

export function text(value: unknown, fallback = ""): string {
  return typeof value === "string" ? value : fallback;
}

export function integer(value: unknown, fallback = 0): number {
  return typeof value === "number" && Number.isFinite(value) ? Math.trunc(value) : fallback;
}

/** Null for anything but a timestamp, including a server timestamp that is still pending. */
export function date(value: unknown): Date | null {
  return value instanceof Timestamp ? value.toDate() : null;
}
