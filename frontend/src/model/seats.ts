/** How many seats there are, in words. */
import { seatCount } from "./format";
import type { Show } from "./show";

/** The most seats that one order may have; the security rules say the same. */
export const MOST_SEATS = 8;

// From here on, buyers see that few seats are left.
const FEW = 10;

export interface Availability {
  label: string;
  tone: "plenty" | "few" | "none";
  /** The most seats that can be ordered at once now. */
  most: number;
}

export function availabilityOf({ seatsLeft }: Pick<Show, "seatsLeft">): Availability {
  if (seatsLeft <= 0) return { label: "Sold out", tone: "none", most: 0 };
  const most = Math.min(MOST_SEATS, seatsLeft);
  if (seatsLeft === 1) return { label: "Last seat", tone: "few", most };
  if (seatsLeft <= FEW) return { label: `Last ${seatCount(seatsLeft)}`, tone: "few", most };
  return { label: `${seatCount(seatsLeft)} left`, tone: "plenty", most };
}
