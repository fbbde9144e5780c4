/** OpenTelemetry's severity numbers as words and colours. */

/** The minimum severities to choose from; `name` is the value in the address. */
export const MIN_SEVERITIES = [
  { name: "", title: "All", minimum: 0 },
  { name: "debug", title: "Debug", minimum: 5 },
  { name: "info", title: "Info", minimum: 9 },
  { name: "warn", title: "Warn", minimum: 13 },
  { name: "error", title: "Error", minimum: 17 },
] as const;

const NAMES = ["trace", "debug", "info", "warn", "error", "fatal"];

/** Return the severity number of a name in MIN_SEVERITIES; 0, which selects all lines, if unknown. */
export function minSeverity(name: string | null): number {
  return MIN_SEVERITIES.find((option) => option.name === name)?.minimum ?? 0;
}

/** Return the name of a severity: the sender's own if there is one, else by number. */
export function severityWord(number: number, text: string): string {
  if (text !== "") return text.toLowerCase();
  return number >= 1 && number <= 24 ? (NAMES[Math.floor((number - 1) / 4)] ?? "") : "log";
}

/** Return the colour class of a severity number. */
export function severityTone(number: number): "bad" | "warn" | "plain" {
  return number >= 17 ? "bad" : number >= 13 ? "warn" : "plain";
}
