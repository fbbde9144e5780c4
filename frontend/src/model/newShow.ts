/** The form's fields as typed. */
export interface NewShowForm {
  title: string;
  venue: string;
  city: string;
  blurb: string;
  /** "2026-12-04T20:00", in the organiser's time zone. */
  startsAt: string;
  /** The same, or empty for a sale without an end. */
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
 * @returns the show, or an error message per invalid field.
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
  const title = text("title", "Enter a title.");
  const venue = text("venue", "Enter the venue.");
  const city = text("city", "Enter the city.");
  const blurb = text("blurb", "Describe the show in a sentence.");

  const startsAt = new Date(form.startsAt);
  if (form.startsAt === "") errors.startsAt = "Choose a day and a time.";
  else if (Number.isNaN(startsAt.getTime())) errors.startsAt = "This is not a valid day and time.";
  else if (startsAt <= now) errors.startsAt = "Choose a time in the future.";

  const saleEndsAt = form.saleEndsAt === "" ? null : new Date(form.saleEndsAt);
  if (saleEndsAt === null) {
    if (begun.includes("saleEndsAt")) errors.saleEndsAt = "Enter both day and time, or neither.";
  } else if (Number.isNaN(saleEndsAt.getTime()))
    errors.saleEndsAt = "This is not a valid day and time.";
  else if (saleEndsAt <= now) errors.saleEndsAt = "Choose a time in the future.";
  else if (saleEndsAt > startsAt)
    errors.saleEndsAt = "The sale must end before the show begins, or when it does.";

  const priceCents = centsOf(form.price);
  if (form.price.trim() === "") errors.price = "Enter the price of a seat.";
  else if (priceCents === null) errors.price = "Write the price as 42 or 42.50.";
  else if (priceCents === 0) errors.price = "A seat must cost at least €0.01.";
  else if (priceCents > MOST.priceCents) errors.price = "At most €1,000 a seat.";

  const seats = /^\d{1,6}$/.test(form.seats.trim()) ? Number(form.seats) : null;
  if (form.seats.trim() === "") errors.seats = "Enter the number of seats.";
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

/** Cents of an amount in euros, with a point or a comma; null if it is not an amount. */
function centsOf(typed: string): number | null {
  const groups = /^€?\s*(?<euros>\d{1,7})(?:[.,](?<cents>\d{1,2}))?$/.exec(typed.trim())?.groups;
  if (!groups) return null;
  return Number(groups.euros) * 100 + Number((groups.cents ?? "").padEnd(2, "0"));
}
