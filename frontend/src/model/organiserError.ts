import { errorCode, type UserError } from "./userError";

type UserErrors = Record<string, UserError>;

const UNREACHABLE: UserError = {
  title: "The box office can't be reached.",
  hint: "Check your connection and try again.",
};

const SIGN_IN: UserErrors = {
  "auth/invalid-credential": {
    title: "This e-mail and password don't go together.",
    hint: "Check both, and try again.",
  },
  "auth/invalid-email": {
    title: "That is no e-mail address.",
    hint: "It has the form name@example.org.",
  },
  "auth/user-disabled": {
    title: "This account is closed.",
    hint: "Ask whoever runs the box office to open it again.",
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
    title: "You may not refund orders.",
    hint: "Only an organiser may. Nothing was refunded.",
  },
  "not-found": {
    title: "The box office does not know this order.",
    hint: "Nothing was refunded. Reload the page and look for it again.",
  },
  "failed-precondition": {
    title: "This order can't be refunded.",
    hint: "Only an order with tickets can be. Nothing was refunded.",
  },
  unavailable: {
    title: "The box office can't be reached.",
    hint: "Try again: an order is refunded once, however often you ask.",
  },
  "deadline-exceeded": {
    title: "The box office takes too long to answer.",
    hint: "The refund may still go through; the order will say so. Asking again is safe: an order is refunded once.",
  },
};

const CREATE: UserErrors = {
  "permission-denied": {
    title: "The box office refused this show.",
    hint: "You may have lost the right to create shows. Sign out, sign in, and try again.",
  },
  unauthenticated: {
    title: "You are signed out.",
    hint: "Sign in again; what you typed is kept while this page is open.",
  },
  unavailable: UNREACHABLE,
};

const UNKNOWN: UserError = {
  title: "Something went wrong on our side.",
  hint: "Try again; if it happens again, the trace says where.",
};

const USER_ERRORS = { "sign in": SIGN_IN, refund: REFUND, create: CREATE };

/** Return what to tell the organiser whose `action` failed with `error`. */
export function describeOrganiserError(
  action: keyof typeof USER_ERRORS,
  error: unknown,
): UserError {
  const code = errorCode(error);
  const known = USER_ERRORS[action];
  return code !== undefined && Object.hasOwn(known, code) ? (known[code] ?? UNKNOWN) : UNKNOWN;
}
