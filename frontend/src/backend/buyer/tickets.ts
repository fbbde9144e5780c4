import type { DocumentData, QueryDocumentSnapshot } from "firebase/firestore";
import type { Fail, Report } from "../../model/live";
import { inDisplayOrder, type Ticket } from "../../model/ticket";
import { date, integer, text } from "../fields";
import { watch } from "../liveQuery";

const TICKETS_LIMIT = 200;

/** Follow the newest tickets of `uid`, newest first. */
export function watchTickets(uid: string, report: Report<Ticket>, fail: Fail): () => void {
  return watch(
    {
      collection: "tickets",
      where: [["uid", "==", uid]],
      orderBy: [["issued_at", "desc"]],
      limit: TICKETS_LIMIT,
    },
    readTicket,
    ({ items, connected }) => report({ items: items.sort(inDisplayOrder), connected }),
    fail,
  );
}

function readTicket(document: QueryDocumentSnapshot<DocumentData>): Ticket {
  const data = document.data();
  return {
    id: document.id,
    orderId: text(data.order_id),
    showId: text(data.show_id),
    number: integer(data.number, 1),
    code: text(data.code),
    issuedAt: date(data.issued_at) ?? new Date(0),
  };
}
