import { PurchaseError } from "../../../model/purchaseError";

// The processor normally answers in milliseconds.
const TIMEOUT_MS = 10_000;

/**
 * Exchange a card number for a token at the card processor, so that it never enters our system.
 *
 * @param answered is called with the HTTP status as soon as there is one.
 * @returns the token. @throws PurchaseError, whose message never quotes what the processor said:
 * that could hold the number.
 */
export async function tokenise(
  url: string,
  number: string,
  answered: (status: number) => void,
): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ number }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new PurchaseError(
      "processor-unreachable",
      "The card processor cannot be reached.",
      error,
    );
  }
  answered(response.status);
  if (response.status === 422) {
    throw new PurchaseError(
      "invalid-card-number",
      "The card processor does not accept this number.",
    );
  }
  const token: unknown = response.ok ? (await response.json().catch(() => null))?.token : undefined;
  if (typeof token !== "string") {
    throw new PurchaseError(
      "processor-failed",
      `The card processor answered ${response.status} without a token.`,
    );
  }
  return token;
}
