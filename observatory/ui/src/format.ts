/** Formatting of numbers, times and names. */

/** Format milliseconds as the server does in its sentences: `4.2 ms`, `3.41 s`, `2 min 5 s`. */
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

/** Format a count with its noun: `1 span`, `2 spans`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** Format a size in bytes with decimal units: `812 B`, `3.4 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 0) return `−${bytesText(-bytes)}`;
  let size = bytes;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (size < 999.5) return `${Number(size.toPrecision(3))} ${unit}`;
    size /= 1000;
  }
  return `${Number(size.toPrecision(3))} TB`;
}

/** Format a share in per cent with one decimal; only exactly 1 is `100 %`. */
export function percent(share: number): string {
  return share === 1 ? "100 %" : `${Math.min(share * 100, 99.9).toFixed(1)} %`;
}

/** Format a share in whole per cent; only exactly 0 and 1 are `0 %` and `100 %`. */
export function wholePercent(share: number): string {
  if (share > 0 && share < 0.01) return "< 1 %";
  if (share < 1 && share > 0.99) return "> 99 %";
  return `${Math.round(share * 100)} %`;
}

/** Format a local date and time in full: `24 Nov 2026, 20:53:54`. */
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

/** Format how long ago a time was: `now`, `12 s ago`, `5 min ago`, else the date. */
export function agoText(moment: Date, now: Date): string {
  const seconds = (now.getTime() - moment.getTime()) / 1000;
  if (seconds < -60) return fullMoment(moment);
  if (seconds < 2) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return moment.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

/** Remove the packages of RPC names in a text: `/google.firestore.v1.Firestore/Commit` becomes `Firestore/Commit`. */
export function withoutPackage(text: string): string {
  return text.replace(/(?<![\w/])\/?(?:\w+\.)+(?=\w+\/\w+)/g, "");
}

/** Format an attribute's value: text as it is, anything else as JSON, indented beyond a length. */
export function attributeText(value: unknown, lineLength: number): string {
  if (typeof value === "string") return value;
  const line = JSON.stringify(value);
  return line.length <= lineLength ? line : JSON.stringify(value, null, 2);
}

/** Return an attribute's value if it is text, else an empty string. */
export function textOrEmpty(value: unknown): string {
  return typeof value === "string" ? value : "";
}
