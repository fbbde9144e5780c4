/** Why a purchase could not be made, and what to tell the buyer. */

export type ProblemCode =
  | "invalid-card-number"
  | "processor-unreachable"
  | "processor-failed"
  | "signed-out"
  | "permission-denied"
  | "unavailable"
  | "unknown";

/** A purchase that failed before the order was placed. */
export class PurchaseError extends Error {
  override readonly name = "PurchaseError";

  constructor(
    readonly code: ProblemCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/** What the buyer reads: what happened, and what to do next. */
export interface Problem {
  title: string;
  advice: string;
}

const PROBLEMS: Record<ProblemCode, Problem> = {
  "invalid-card-number": {
    title: "The card processor doesn't know this number.",
    advice: "Check the number, or pick one of the test cards. Nothing was charged.",
  },
  "processor-unreachable": {
    title: "The card processor can't be reached.",
    advice: "Nothing was ordered or charged. Check your connection and try again.",
  },
  "processor-failed": {
    title: "The card processor has a problem of its own.",
    advice: "Nothing was ordered or charged. Try again in a minute.",
  },
  "signed-out": {
    title: "You are signed out.",
    advice: "Continue as a guest, then buy again. Nothing was ordered or charged.",
  },
  "permission-denied": {
    title: "The box office refused this order.",
    advice:
      "Nothing was ordered or charged. Reload the page and try again; if it happens again, send us the support code.",
  },
  unavailable: {
    title: "The box office can't be reached.",
    advice: "Nothing was charged. Check your connection and try again.",
  },
  unknown: {
    title: "Something went wrong on our side.",
    advice: "Your card was not charged. Try again; if it happens again, send us the support code.",
  },
};

/** The code of any error that a purchase can end with: ours, Firebase's or an unexpected one. */
export function codeOf(error: unknown): ProblemCode {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === "deadline-exceeded") return "unavailable";
  if (code === "unauthenticated") return "signed-out";
  return typeof code === "string" && Object.hasOwn(PROBLEMS, code)
    ? (code as ProblemCode)
    : "unknown";
}

export function describeProblem(error: unknown): Problem {
  return PROBLEMS[codeOf(error)];
}
