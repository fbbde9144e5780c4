import { errorCode, type UserError } from "./userError";

type UserErrors = Record<string, UserError>;

const UNREACHABLE: UserError = {
  title: "The box office can't be reached.",
  hint: "Check your connection and try again.",
};

const SIGN_IN: UserErrors = {
  "auth/invalid-credential": {
    title: "The e-mail address or the password is wrong.",
    hint: "Check both and try again.",
  },
  "auth/invalid-email": {
    title: "This is not an e-mail address.",
    hint: "Enter one like name@example.org.",
  },
  "auth/user-disabled": {
    title: "This account is disabled.",
    hint: "Ask the administrator of the box office to enable it.",
  },
  "auth/too-many-requests": {
    title: "Too many attempts.",
    hint: "Wait a few minutes, then try again.",
  },
  "auth/network-request-failed": UNREACHABLE,
};
for (const same of ["wrong-password", "user-not-found", "invalid-login-credentials"]) {
  SIGN_IN[`auth/${same}`] = SIGN_IN["auth/invalid-credential"] as UserError;
}

const REFUND: UserErrors = {
  unauthenticated: {
    title: "You are signed out.",
    hint: "Sign in again, then refund the order. Nothing was refunded.",
  },
  "permission-denied": {
    title: "You are not allowed to refund orders.",
    hint: "Only an organiser can. Nothing was refunded.",
  },
  "not-found": {
    title: "The box office has no such order.",
    hint: "Nothing was refunded. Reload the page and look for it again.",
  },
  "failed-precondition": {
    title: "This order can't be refunded.",
    hint: "It has no valid tickets, or the card processor refused the refund. Nothing was refunded.",
  },
  unavailable: {
    title: "The box office can't be reached.",
    hint: "Try again: repeating the request does not refund twice.",
  },
  "deadline-exceeded": {
    title: "The box office did not answer in time.",
    hint: "The refund may still succeed; the order will show it. You can try again: an order is refunded only once.",
  },
};

const CREATE: UserErrors = {
  "permission-denied": {
    title: "The box office refused this show.",
    hint: "Your account may no longer be an organiser's. Sign out, sign in and try again.",
  },
  unauthenticated: {
    title: "You are signed out.",
    hint: "Sign in again; what you typed is kept while this page is open.",
  },
  unavailable: UNREACHABLE,
};

const UNKNOWN: UserError = {
  title: "Something went wrong on our side.",
  hint: "Try again; if it happens again, open the trace to see where.",
};

const USER_ERRORS = { "sign in": SIGN_IN, refund: REFUND, create: CREATE };

/** Return the message for an organiser whose `action` failed with `error`. */
export function describeOrganiserError(
  action: keyof typeof USER_ERRORS,
  error: unknown,
): UserError {
  const code = errorCode(error);
  const known = USER_ERRORS[action];
  return code !== undefined && Object.hasOwn(known, code) ? (known[code] ?? UNKNOWN) : UNKNOWN;
}
