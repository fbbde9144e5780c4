/** Why something the organiser asked for did not happen, and what to do about it. */

export interface Problem {
  title: string;
  advice: string;
}

type Problems = Record<string, Problem>;

const UNREACHABLE: Problem = {
  title: "The box office can't be reached.",
  advice: "Check your connection and try again.",
};

const SIGN_IN: Problems = {
  "auth/invalid-credential": {
    title: "This e-mail and password don't go together.",
    advice: "Check both, and try again.",
  },
  "auth/invalid-email": {
    title: "That is no e-mail address.",
    advice: "It has the form name@example.org.",
  },
  "auth/user-disabled": {
    title: "This account is closed.",
    advice: "Ask whoever runs the box office to open it again.",
  },
  "auth/too-many-requests": {
    title: "Too many attempts.",
    advice: "Wait a few minutes, then try again.",
  },
  "auth/network-request-failed": UNREACHABLE,
};
for (const same of ["wrong-password", "user-not-found", "invalid-login-credentials"]) {
  SIGN_IN[`auth/${same}`] = SIGN_IN["auth/invalid-credential"] as Problem;
}

const REFUND: Problems = {
  unauthenticated: {
    title: "You are signed out.",
    advice: "Sign in again, then refund the order. Nothing was refunded.",
  },
  "permission-denied": {
    title: "You may not refund orders.",
    advice: "Only an organiser may. Nothing was refunded.",
  },
  "not-found": {
    title: "The box office does not know this order.",
    advice: "Nothing was refunded. Reload the page and look for it again.",
  },
  "failed-precondition": {
    title: "This order can't be refunded.",
    advice: "Only an order with tickets can be. Nothing was refunded.",
  },
  unavailable: {
    title: "The box office can't be reached.",
    advice: "Try again: an order is refunded once, however often you ask.",
  },
  "deadline-exceeded": {
    title: "The box office takes too long to answer.",
    advice:
      "The refund may still go through; the order will say so. Asking again is safe: an order is refunded once.",
  },
};

const CREATE: Problems = {
  "permission-denied": {
    title: "The box office refused this show.",
    advice: "You may have lost the right to create shows. Sign out, sign in, and try again.",
  },
  unauthenticated: {
    title: "You are signed out.",
    advice: "Sign in again; what you typed is kept while this page is open.",
  },
  unavailable: UNREACHABLE,
};

const UNKNOWN: Problem = {
  title: "Something went wrong on our side.",
  advice: "Try again; if it happens again, the trace says where.",
};

const PROBLEMS = { "sign in": SIGN_IN, refund: REFUND, create: CREATE };

/** What the organiser reads when `what` failed with `error`, Firebase's or a function's. */
export function describeProblem(what: keyof typeof PROBLEMS, error: unknown): Problem {
  const code = (error as { code?: unknown } | null)?.code;
  const known = PROBLEMS[what];
  return typeof code === "string" && Object.hasOwn(known, code)
    ? (known[code] ?? UNKNOWN)
    : UNKNOWN;
}
