import type { IdTokenResult, User } from "firebase/auth";
import { doc, onSnapshot, Timestamp } from "firebase/firestore";
import type { Account } from "../../model/account";
import { tracing } from "../../tracing/load";
import { within } from "../../tracing/tracing";
import { firestore } from "../firebase";

/** A role that an account was given after its ID token was issued. */
export interface RoleChange {
  user: User;
  /** The role that the document names, unchecked. */
  role: unknown;
  report: (account: Account) => void;
}

/**
 * Follow `roles/{uid}`, which is written after an account's claim has changed; its `granted_at` is
 * the server's time.
 *
 * @returns a function that stops following it.
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
      void traceRoleChange({ user, role: snapshot.get("role"), report }, issuedAt, granted);
    },
    (error) => console.error("The account's role cannot be followed", error),
  );
}

/**
 * Fetch a token that has the new claim; `onIdTokenChanged` then reports the account.
 *
 * The document only says that the claim has changed. The rules and the functions decide by the
 * token.
 */
export function takeUpRole({ user }: RoleChange): Promise<unknown> {
  return user.getIdToken(true);
}

/** Take up a role in a trace of its own, with the server's times of the old token and the new role. */
async function traceRoleChange(
  change: RoleChange,
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
  await within(trace, () => takeUpRole(change)).catch((error: unknown) => {
    console.error("A new token could not be fetched", error);
  });
}
