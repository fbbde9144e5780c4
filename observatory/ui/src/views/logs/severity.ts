/** How grave a log line is, by OpenTelemetry's severity numbers. */

/** The floors one can choose, by the name that the address has for them. */
export const FLOORS = [
  { name: "", title: "All", least: 0 },
  { name: "debug", title: "Debug", least: 5 },
  { name: "info", title: "Info", least: 9 },
  { name: "warn", title: "Warn", least: 13 },
  { name: "error", title: "Error", least: 17 },
] as const;

const NAMES = ["trace", "debug", "info", "warn", "error", "fatal"];

/** The severity number that a floor's name stands for; 0, all lines, when it is none. */
export function floorOf(name: string | null): number {
  return FLOORS.find((floor) => floor.name === name)?.least ?? 0;
}

/** A word for it; senders name their levels as they like, or not at all. */
export function severityWord(number: number, text: string): string {
  if (text !== "") return text.toLowerCase();
  return number >= 1 && number <= 24 ? (NAMES[Math.floor((number - 1) / 4)] ?? "") : "log";
}

/** How it is coloured. */
export function severityTone(number: number): "bad" | "warn" | "plain" {
  return number >= 17 ? "bad" : number >= 13 ? "warn" : "plain";
}
