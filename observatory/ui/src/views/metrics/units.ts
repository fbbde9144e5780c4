/** Formatting metric values by unit (UCUM, as in OpenTelemetry). */
import { bytesText, durationText } from "../../format";

const MS_BY_UNIT: Record<string, number> = {
  s: 1000,
  ms: 1,
  us: 0.001,
  ns: 0.000001,
  min: 60_000,
  h: 3_600_000,
};
const BYTES_BY_UNIT: Record<string, number> = {
  By: 1,
  KiBy: 2 ** 10,
  MiBy: 2 ** 20,
  GiBy: 2 ** 30,
  kBy: 1e3,
  MBy: 1e6,
};

/** Format a value with its unit; with `rate`, per second. */
export function valueText(value: number | null, unit: string, rate = false): string {
  if (value === null || !Number.isFinite(value)) return "–";
  const suffix = rate ? "/s" : "";
  const [ms, bytes] = [MS_BY_UNIT[unit], BYTES_BY_UNIT[unit]];
  if (ms !== undefined && !rate) return durationText(value * ms);
  if (bytes !== undefined) return `${bytesText(value * bytes)}${suffix}`;
  if (unit === "1" || unit === "" || unit.startsWith("{")) return `${shortNumber(value)}${suffix}`;
  return `${shortNumber(value)} ${unit}${suffix}`;
}

/** Format a number with three significant digits: `0.042`, `3.14`, `12,400`, `1.2 M`. */
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

/** Return the unit for a heading; empty if there is none. */
export function unitText(unit: string): string {
  if (unit === "1" || unit === "") return "";
  return unit.replace(/[{}]/g, "");
}
