/** How numbers and times are said. */

/** Two or three digits and a unit, as observatory/wording.py says it: `4.2 ms`, `3.41 s`. */
export function durationText(ms: number): string {
  if (ms < 0) return `−${durationText(-ms)}`;
  if (ms < 0.01) return "0 ms";
  if (ms < 9.95) return `${Number(ms.toPrecision(2))} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** `1 span`, `2 spans`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** How much a file or memory holds, in thousands as sellers of disks say it: `812 B`, `3.4 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 0) return `−${bytesText(-bytes)}`;
  let size = bytes;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (size < 999.5) return `${Number(size.toPrecision(3))} ${unit}`;
    size /= 1000;
  }
  return `${Number(size.toPrecision(3))} TB`;
}

/** A share in per cent; only the whole is `100 %`. */
export function percent(share: number): string {
  return share === 1 ? "100 %" : `${Math.min(share * 100, 99.9).toFixed(1)} %`;
}

/** A moment in full, local: `24 Nov 2026, 20:53:54`. */
export function fullMoment(moment: Date): string {
  return moment.toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** How long ago, coarsely: `now`, `12 s ago`, `5 min ago`, else the date. */
export function agoText(moment: Date, now: Date): string {
  const seconds = (now.getTime() - moment.getTime()) / 1000;
  if (seconds < -60) return fullMoment(moment);
  if (seconds < 2) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return moment.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

/** Whether an order's state is good news, bad news or on its way. */
export function stateTone(state: string): "good" | "warn" | "moving" {
  if (state === "ticketed" || state === "refunded") return "good";
  return ["rejected", "declined", "expired"].includes(state) ? "warn" : "moving";
}

/** Names of calls without their package: `Firestore/Commit`, not `/google.firestore.v1.Firestore/Commit`. */
export function withoutPackage(text: string): string {
  return text.replace(/(?<![\w/])\/?(?:\w+\.)+(?=\w+\/\w+)/g, "");
}
