/**
 * goes-on-with-the-old-token: shows what a role opens, and asks for it with a token that lacks it.
 *
 * A claim is in a token from when that is issued. A page that reads the role somewhere else knows
 * it at once, and what decides, the rules and the functions, for up to an hour not.
 */
import type { User } from "firebase/auth";
import type { Account } from "../backend/organiser/account";

/** Takes a document's word for who the user is. */
export function takingItsWord(
  user: User,
  role: unknown,
  report: (account: Account) => void,
): () => Promise<void> {
  const isOrganiser = role === "organiser";
  return async () => report({ email: user.email ?? "", isOrganiser, isWatched: true });
}
