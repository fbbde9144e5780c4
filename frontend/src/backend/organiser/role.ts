/** Being made an organiser while the page is open. */
import type { IdTokenResult, User } from "firebase/auth";
import { doc, onSnapshot, Timestamp } from "firebase/firestore";
import { takingItsWord } from "../../faults/goesOnWithTheOldToken";
import { isOn } from "../../faults/isOn";
import { tracing } from "../../tracing/load";
import { within } from "../../tracing/tracing";
import { firestore } from "../firebase";
import type { Account } from "./account";

/**
 * Follows `roles/{uid}`, which whoever changes a user's claim writes after it, with the server's
 * time as `granted_at`; returns what stops it.
 *
 * What the document says is news and no right: the rules and the functions go by the token. So
 * where the news is younger than `token`, a new one is fetched, and who watches tokens sees it.
 */
export function watchRole(
  user: User,
  token: IdTokenResult,
  report: (account: Account) => void,
): () => void {
  const issuedAt = Date.parse(token.issuedAtTime) / 1000;
  return onSnapshot(
    doc(firestore, "roles", user.uid),
    (snapshot) => {
      const grantedAt: unknown = snapshot.get("granted_at");
      const granted = grantedAt instanceof Timestamp ? grantedAt.toMillis() / 1000 : 0;
      if (granted <= issuedAt) {
        const isWatched = !snapshot.metadata.fromCache;
        report({ email: user.email ?? "", isOrganiser: false, isWatched });
        return;
      }
      const takeUp = isOn("goes-on-with-the-old-token")
        ? takingItsWord(user, snapshot.get("role"), report)
        : () => user.getIdToken(true);
      void takeUpRole(takeUp, issuedAt, granted);
    },
    (error) => console.error("A change of role would not be noticed", error),
  );
}

/** `takeUp` as a trace of its own, with the server's times of the old token and of the new role. */
async function takeUpRole(
  takeUp: () => Promise<unknown>,
  issuedAt: number,
  grantedAt: number,
): Promise<void> {
  const trace = (await tracing()).begin({
    name: "take up role",
    line: __SOURCE_LINE__,
    done: "Role taken up",
    failed: "Role could not be taken up",
    facts: {
      "throughline.token.issued_at": issuedAt,
      "boxoffice.role.granted_at": grantedAt,
    },
  });
  await within(trace, takeUp).catch((error: unknown) => {
    console.error("A new token could not be fetched", error);
  });
}
