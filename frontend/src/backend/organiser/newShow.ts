import { doc, setDoc, Timestamp } from "firebase/firestore";
import type { NewShow } from "../../model/newShow";
import type { TraceCarrier } from "../../throughline/carrier";
import { firestore } from "../firebase";

/** Return a new id that can be read in a log: the title's words and a random suffix. */
export function newShowId(title: string): string {
  const words = title
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 48)
    .replace(/-+$/, "");
  const unique = crypto.randomUUID().slice(0, 6);
  return words ? `${words}-${unique}` : `show-${unique}`;
}

/** Create a show through the security rules; resolves once the server has it. @throws FirebaseError. */
export async function createShow(
  id: string,
  show: NewShow,
  rank: number,
  carrier: TraceCarrier,
): Promise<void> {
  await setDoc(doc(firestore, "shows", id), {
    title: show.title,
    venue: show.venue,
    city: show.city,
    blurb: show.blurb,
    starts_at: Timestamp.fromDate(show.startsAt),
    ...(show.saleEndsAt && { sale_ends_at: Timestamp.fromDate(show.saleEndsAt) }),
    price_cents: show.priceCents,
    currency: "EUR",
    seats_total: show.seats,
    seats_left: show.seats,
    rank,
    _trace: carrier,
  });
}
