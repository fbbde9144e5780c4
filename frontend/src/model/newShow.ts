/** What the form's fields hold, as typed. */
export interface NewShowForm {
  title: string;
  venue: string;
  city: string;
  blurb: string;
  /** "2026-12-04T20:00", in the organiser's time zone. */
  startsAt: string;
  /** The same, or empty for a sale that no time ends. */
  saleEndsAt: string;
  /** In euros: "42" or "42.50". */
  price: string;
  seats: string;
}

export type NewShowField = keyof NewShowForm;

/** A show that can be put on sale. */
export interface NewShow {
  title: string;
  venue: string;
  city: string;
  blurb: string;
  startsAt: Date;
  saleEndsAt: Date | null;
  priceCents: number;
  seats: number;
}

export const EMPTY_FORM: NewShowForm = {
  title: "",
  venue: "",
  city: "",
  blurb: "",
  startsAt: "",
  saleEndsAt: "",
  price: "",
  seats: "",
};

export type FormErrors = Partial<Record<NewShowField, string | undefined>>;

/** The longest texts, in characters, and the largest numbers that can be put on sale. */
export const MOST = {
  title: 80,
  venue: 80,
  city: 60,
  blurb: 240,
  priceCents: 100_000,
  seats: 2_000,
};

/**
 * Read the form at the time `now`.
 *
 * @param begun the fields that the browser reports as empty although something was typed.
 * @returns the show, or by field what is wrong.
 */
export function readForm(
  form: NewShowForm,
  now: Date,
  begun: readonly NewShowField[] = [],
): { show: NewShow; errors: null } | { show: null; errors: FormErrors } {
  const errors: FormErrors = {};
  const text = (field: "title" | "venue" | "city" | "blurb", missing: string) => {
    const value = form[field].trim().replace(/\s+/g, " ");
    if (value === "") errors[field] = missing;
    else if (value.length > MOST[field]) {
      errors[field] = `At most ${MOST[field]} characters; this is ${value.length}.`;
    }
    return value;
  };
  const title = text("title", "Give the show a title.");
  const venue = text("venue", "Say where it takes place.");
  const city = text("city", "Say in which city.");
  const blurb = text("blurb", "Say in a sentence what people will see.");

  const startsAt = new Date(form.startsAt);
  if (form.startsAt === "") errors.startsAt = "Choose a day and a time.";
  else if (Number.isNaN(startsAt.getTime())) errors.startsAt = "That is no day and time.";
  else if (startsAt <= now) errors.startsAt = "That has passed; choose a time to come.";

  const saleEndsAt = form.saleEndsAt === "" ? null : new Date(form.saleEndsAt);
  if (saleEndsAt === null) {
    if (begun.includes("saleEndsAt")) errors.saleEndsAt = "Give both day and time, or neither.";
  } else if (Number.isNaN(saleEndsAt.getTime())) errors.saleEndsAt = "That is no day and time.";
  else if (saleEndsAt <= now) errors.saleEndsAt = "That has passed; choose a time to come.";
  else if (saleEndsAt > startsAt) errors.saleEndsAt = "At the latest when the show begins.";

  const priceCents = centsOf(form.price);
  if (form.price.trim() === "") errors.price = "Give the price of a seat.";
  else if (priceCents === null) errors.price = "Write the price as 42 or 42.50.";
  else if (priceCents === 0) errors.price = "A seat costs at least €0.01: the card is charged.";
  else if (priceCents > MOST.priceCents) errors.price = "At most €1,000 a seat.";

  const seats = /^\d{1,6}$/.test(form.seats.trim()) ? Number(form.seats) : null;
  if (form.seats.trim() === "") errors.seats = "Say how many seats there are.";
  else if (seats === null) errors.seats = "Write a whole number.";
  else if (seats < 1 || seats > MOST.seats) errors.seats = "From 1 to 2,000 seats.";

  if (Object.keys(errors).length > 0 || priceCents === null || seats === null) {
    return { show: null, errors };
  }
  return {
    show: { title, venue, city, blurb, startsAt, saleEndsAt, priceCents, seats },
    errors: null,
  };
}

/** Cents of an amount in euros, with a point or a comma; null if it is none. */
function centsOf(typed: string): number | null {
  const found = /^€?\s*(?<euros>\d{1,7})(?:[.,](?<cents>\d{1,2}))?$/.exec(typed.trim())?.groups;
  if (!found) return null;
  return Number(found.euros) * 100 + Number((found.cents ?? "").padEnd(2, "0"));
}
