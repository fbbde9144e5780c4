/** Card numbers as a person types them, and the card processor's documented test cards. */

export interface TestCard {
  number: string;
  outcome: string;
  explanation: string;
}

export const TEST_CARDS: readonly TestCard[] = [
  { number: "4242424242424242", outcome: "Approved", explanation: "Goes through." },
  {
    number: "4000000000000002",
    outcome: "Declined",
    explanation: "Declined without a reason.",
  },
  {
    number: "4000000000009995",
    outcome: "Insufficient funds",
    explanation: "Declined: not enough money in the account.",
  },
  {
    number: "4000000000000069",
    outcome: "Expired card",
    explanation: "Declined: the card has expired.",
  },
];

/** The digits of what was typed; spaces and dashes are what people put between them. */
export function digitsOf(typed: string): string {
  return typed.replace(/[\s-]/g, "");
}

/** In groups of four, as on the card. */
export function grouped(number: string): string {
  return digitsOf(number)
    .replace(/(.{4})/g, "$1 ")
    .trim();
}

/** Return what is wrong with a card number, in words for the buyer; null if it is valid. */
export function cardNumberError(typed: string): string | null {
  const digits = digitsOf(typed);
  if (digits === "") return "Enter a card number, or pick one of the test cards below.";
  if (!/^\d+$/.test(digits)) return "A card number has digits only.";
  if (digits.length < 12 || digits.length > 19) {
    return `A card number has 12 to 19 digits; this one has ${digits.length}.`;
  }
  if (!passesLuhn(digits)) return "This is not a card number: a digit is mistyped.";
  return null;
}

/** The checksum of ISO/IEC 7812-1, which catches a single wrong or swapped digit. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]);
    const weighted = place % 2 === 1 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}
