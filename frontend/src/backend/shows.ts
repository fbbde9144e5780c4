import type { DocumentData, QueryDocumentSnapshot } from "firebase/firestore";
import type { Fail, Report } from "../model/live";
import type { Show } from "../model/show";
import { date, integer, text } from "./fields";
import { watch } from "./liveQuery";

/** Follow the shows on sale, in display order. */
export function watchShows(report: Report<Show>, fail: Fail): () => void {
  return watch({ collection: "shows", orderBy: [["rank", "asc"]] }, readShow, report, fail);
}

function readShow(document: QueryDocumentSnapshot<DocumentData>): Show {
  const data = document.data();
  return {
    id: document.id,
    title: text(data.title, "Untitled show"),
    venue: text(data.venue),
    city: text(data.city),
    blurb: text(data.blurb),
    startsAt: date(data.starts_at) ?? new Date(0),
    saleEndsAt: date(data.sale_ends_at),
    priceCents: integer(data.price_cents),
    currency: text(data.currency, "EUR"),
    seatsTotal: integer(data.seats_total),
    seatsLeft: Math.max(0, integer(data.seats_left)),
  };
}
