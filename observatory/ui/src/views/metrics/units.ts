/** How a metric's values are said, by its unit (UCUM, as OpenTelemetry has it). */
import { bytesText, durationText } from "../../format";

const MS: Record<string, number> = {
  s: 1000,
  ms: 1,
  us: 0.001,
  ns: 0.000001,
  min: 60_000,
  h: 3_600_000,
};
const BYTES: Record<string, number> = {
  By: 1,
  KiBy: 2 ** 10,
  MiBy: 2 ** 20,
  GiBy: 2 ** 30,
  kBy: 1e3,
  MBy: 1e6,
};

/** A value with its unit, short. With `rate`, so much in a second. */
export function valueText(value: number | null, unit: string, rate = false): string {
  if (value === null || !Number.isFinite(value)) return "–";
  const each = rate ? "/s" : "";
  const [ms, bytes] = [MS[unit], BYTES[unit]];
  if (ms !== undefined && !rate) return durationText(value * ms);
  if (bytes !== undefined) return `${bytesText(value * bytes)}${each}`;
  if (unit === "1" || unit === "" || unit.startsWith("{")) return `${shortNumber(value)}${each}`;
  return `${shortNumber(value)} ${unit}${each}`;
}

/** Three digits: `0.042`, `3.14`, `12,400`, `1.2 M`. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${digits(value / 1e9)} G`;
  if (size >= 1e6) return `${digits(value / 1e6)} M`;
  if (size >= 1000 || Number.isInteger(value)) return Math.round(value).toLocaleString("en");
  return digits(value);
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** The unit in words, for a heading; empty where there is nothing to say. */
export function unitText(unit: string): string {
  if (unit === "1" || unit === "") return "";
  return unit.replace(/[{}]/g, "");
}
