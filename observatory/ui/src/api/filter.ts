/** What can be filtered by, and whether a filter can be read. */
import { ask } from "./ask";

export interface KnownKey {
  key: string;
  kind: string;
  values: number;
  examples: string[];
}

export interface KnownValue {
  value: string;
  count: number;
}

/** The keys that begin with, or contain, `prefix`. */
export async function fetchKeys(prefix: string, signal: AbortSignal): Promise<KnownKey[]> {
  const query = new URLSearchParams({ prefix });
  return (await ask<{ keys: KnownKey[] }>(`/api/keys?${query}`, signal)).keys;
}

/** The values of a key that begin with `prefix`, the most frequent first. */
export async function fetchValues(
  key: string,
  prefix: string,
  signal: AbortSignal,
): Promise<KnownValue[]> {
  const query = new URLSearchParams({ key, prefix });
  return (await ask<{ values: KnownValue[] }>(`/api/values?${query}`, signal)).values;
}

/** Has the Observatory read a filter. Throws an `ApiFailure` with a position if it can't. */
export async function checkFilter(q: string, signal: AbortSignal): Promise<void> {
  await ask(`/api/traces?${new URLSearchParams({ q, limit: "1" })}`, signal);
}
