/**
 * Open the organiser's view after a role change, but keep using the token from before it.
 *
 * A token has the claims of the time when it was issued, and is valid for an hour. A page that reads
 * the role from a document knows it before the rules and the functions, which read the token.
 */
import type { takeUpRole as right } from "../backend/organiser/role";

export const REPLACES = "backend/organiser/role:takeUpRole";

export const takeUpRole: typeof right = async ({ user, role, report }) => {
  const isOrganiser = role === "organiser";
  report({ email: user.email ?? "", isOrganiser, isWatched: true });
};
