/**
 * The `tracestate` list of W3C Trace Context level 2, section 3.3.
 *
 * OpenTelemetry's `createTraceState` accepts only level 1's keys, moves a repeated key to another
 * place, and drops a list over 512 characters whole.
 */
import type { TraceState } from "@opentelemetry/api";

export const TRACESTATE_MAX_CHARS = 512;
const MEMBERS_MAX = 32;
// Of a list that is too long, longer members are removed first (section 3.3.1.5).
const BIG_MEMBER_CHARS = 128;

const MEMBER =
  /^[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** The kept members; `loss` describes what was dropped and why, without quoting it. */
export interface ParsedTraceState {
  traceState?: TraceState;
  loss?: string;
}

/**
 * Parses the list in `value`, which may be of any length. Does not throw.
 *
 * Of a repeated key the first member is kept. A list over 512 characters loses whole members until
 * it fits: those over 128 characters first, then from the right. A list with a malformed member or
 * more than 32 keys is dropped whole.
 */
export function parseTraceState(value: string): ParsedTraceState {
  const members = value.split(",").map(withoutWhiteSpace).filter(Boolean);
  const entries = new Map<string, string>();
  for (const member of members) {
    const key = member.split("=", 1)[0] ?? "";
    if (!entries.has(key)) entries.set(key, member);
  }
  if (entries.size > MEMBERS_MAX)
    return { loss: `tracestate has more than ${MEMBERS_MAX} members` };
  let loss = entries.size < members.length ? "tracestate repeats a key" : undefined;
  const kept = [...entries];
  if (isTooLong(kept)) {
    loss = `tracestate is longer than ${TRACESTATE_MAX_CHARS} characters`;
    fit(kept);
  }
  if (!kept.every(([, member]) => MEMBER.test(member))) {
    return { loss: loss ?? "tracestate is malformed" };
  }
  return {
    ...(kept.length > 0 && { traceState: new Members(new Map(kept)) }),
    ...(loss && { loss }),
  };
}

type Entries = [key: string, member: string][];

function isTooLong(entries: Entries): boolean {
  return entries.map(([, member]) => member).join().length > TRACESTATE_MAX_CHARS;
}

/** Removes whole members until the list fits: big ones first, each time from the right. */
function fit(entries: Entries): void {
  for (const longerThan of [BIG_MEMBER_CHARS, 0]) {
    for (let index = entries.length - 1; index >= 0 && isTooLong(entries); index--) {
      if ((entries[index]?.[1].length ?? 0) > longerThan) entries.splice(index, 1);
    }
  }
}

/** Spaces and tabs are the only optional white space of a header (RFC 9110, section 5.6.3). */
function withoutWhiteSpace(member: string): string {
  return member.replace(/^[ \t]+|[ \t]+$/g, "");
}

/** A list of checked members, by key. */
class Members implements TraceState {
  constructor(private readonly members: ReadonlyMap<string, string>) {}

  /** A changed member goes to the left end (section 3.5). */
  set(key: string, value: string): TraceState {
    const others = [...this.members].filter(([other]) => other !== key);
    return new Members(new Map([[key, `${key}=${value}`], ...others]));
  }

  unset(key: string): TraceState {
    return new Members(new Map([...this.members].filter(([other]) => other !== key)));
  }

  get(key: string): string | undefined {
    return this.members.get(key)?.slice(key.length + 1);
  }

  serialize(): string {
    return [...this.members.values()].join();
  }
}
