import { errorCode, type UserError } from "./userError";

export type PurchaseErrorCode =
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
    readonly code: PurchaseErrorCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

const USER_ERRORS: Record<PurchaseErrorCode, UserError> = {
  "invalid-card-number": {
    title: "The card processor does not accept this number.",
    hint: "Check the number, or pick one of the test cards. Nothing was charged.",
  },
  "processor-unreachable": {
    title: "The card processor can't be reached.",
    hint: "Nothing was ordered or charged. Check your connection and try again.",
  },
  "processor-failed": {
    title: "The card processor failed.",
    hint: "Nothing was ordered or charged. Try again in a minute.",
  },
  "signed-out": {
    title: "You are signed out.",
    hint: "Continue as a guest, then buy again. Nothing was ordered or charged.",
  },
  "permission-denied": {
    title: "The box office refused this order.",
    hint: "Nothing was ordered or charged. A show that has begun is not on sale any more, and two orders need 2 seconds between them. Otherwise reload the page and try again; if it happens again, send us the support code.",
  },
  unavailable: {
    title: "The box office can't be reached.",
    hint: "Nothing was charged. Check your connection and try again.",
  },
  unknown: {
    title: "Something went wrong on our side.",
    hint: "Your card was not charged. Try again; if it happens again, send us the support code.",
  },
};

/** Return the code of an error that ended a purchase: ours, Firebase's or an unexpected one. */
export function purchaseErrorCode(error: unknown): PurchaseErrorCode {
  const code = errorCode(error);
  if (code === "deadline-exceeded") return "unavailable";
  if (code === "unauthenticated") return "signed-out";
  return code !== undefined && Object.hasOwn(USER_ERRORS, code)
    ? (code as PurchaseErrorCode)
    : "unknown";
}

/** Return the message for a buyer whose purchase failed with `error`. */
export function describePurchaseError(error: unknown): UserError {
  return USER_ERRORS[purchaseErrorCode(error)];
}
