/** Money, dates and times as the buyer reads them; the page's words are English, so these are too. */

const LOCALE = "en-GB";

const whole = new Map<string, Intl.NumberFormat>();

/** Cents as an amount: 4200 EUR is "€42", 4250 EUR is "€42.50". */
export function money(cents: number, currency: string): string {
  const digits = cents % 100 === 0 ? 0 : 2;
  const key = `${currency}${digits}`;
  let format = whole.get(key);
  if (!format) {
    format = new Intl.NumberFormat(LOCALE, {
      style: "currency",
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    whole.set(key, format);
  }
  return format.format(cents / 100);
}

const dayFormat = new Intl.DateTimeFormat(LOCALE, {
  weekday: "short",
  day: "numeric",
  month: "short",
});
const shortFormat = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });
const exactFormat = new Intl.DateTimeFormat(LOCALE, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** "Fri 4 Dec, 20:00", in the buyer's time zone. */
export function dayAndTime(at: Date): string {
  return `${dayFormat.format(at).replace(",", "")}, ${shortFormat.format(at)}`;
}

/** "20:00:07". */
export function clock(at: Date): string {
  return exactFormat.format(at);
}

/** "+0.8 s", "+12 s" or "+3 min", from `start` to `end`. */
export function elapsed(start: Date, end: Date): string {
  const seconds = Math.max(0, end.getTime() - start.getTime()) / 1000;
  if (seconds < 10) return `+${seconds.toFixed(1)} s`;
  if (seconds < 120) return `+${Math.round(seconds)} s`;
  return `+${Math.round(seconds / 60)} min`;
}

/** "1 seat", "2 seats". */
export function seatCount(seats: number): string {
  return seats === 1 ? "1 seat" : `${seats} seats`;
}
