/** Log lines as they come, and older ones when asked for. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "../../api/client";
import { fetchLogs, type LogQuery } from "../../api/requests";
import type { LogPage } from "../../api/types";
import { type LineBuffer, buffer, newestLess, withNewer, withOlder } from "./line_buffer";

const PAGE = 200;
const PAGE_MAX = 1_000;
// Senders put lines together for some seconds, so that a line may come after younger ones.
const LATE_SECONDS = 15;
const PAUSE_MS = 1_000;
const HELD_MAX = 20_000;

export interface Tail {
  /** Null until the first answer. */
  buffer: LineBuffer | null;
  failure: ApiFailure | null;
  /** Fetches a page of older lines; does nothing while one is on its way. */
  fetchOlder: () => void;
}

/**
 * Asks for the newest lines, and, as long as `live`, for those after them again and again.
 *
 * @param key names the question; another key forgets what is held.
 */
export function useTail(key: string, question: LogQuery, live: boolean): Tail {
  const [state, setState] = useState<{
    key: string;
    buffer: LineBuffer | null;
    failure: ApiFailure | null;
  }>({ key, buffer: null, failure: null });
  const latest = useRef<LineBuffer | null>(null);
  const fetching = useRef(false);
  const current = useRef(question);
  current.current = question;
  const asked = useRef(key);
  asked.current = key;
  const take = useCallback(
    (next: LineBuffer | null, failure: ApiFailure | null) => {
      latest.current = next;
      setState({ key, buffer: next, failure });
    },
    [key],
  );

  useEffect(() => {
    latest.current = null;
    fetching.current = false;
  }, [key]);

  useEffect(() => {
    const abort = new AbortController();
    let timer: number | undefined;
    const turn = async () => {
      try {
        const page = await newest(latest.current, current.current, abort.signal);
        const before = latest.current;
        if (before?.lines.length) take(withNewer(before, page.logs, HELD_MAX), null);
        else take(buffer(page.logs, page.next), null);
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiFailure)) throw error;
        take(latest.current, error);
      }
      if (!abort.signal.aborted && !document.hidden && live)
        timer = window.setTimeout(turn, PAUSE_MS);
    };
    const onVisibility = () => {
      window.clearTimeout(timer);
      if (!document.hidden && live) void turn();
    };
    document.addEventListener("visibilitychange", onVisibility);
    void turn();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [key, live, take]);

  const fetchOlder = useCallback(() => {
    const older = latest.current?.older;
    if (!older || fetching.current) return;
    fetching.current = true;
    fetchLogs(current.current, { before: older }, PAGE, new AbortController().signal)
      .then((page) => {
        // Meanwhile another question may have been asked.
        if (asked.current === key && latest.current?.older === older)
          take(withOlder(latest.current, page.logs, page.next), null);
      })
      .catch((error: unknown) => {
        if (!(error instanceof ApiFailure)) throw error;
        if (asked.current === key) take(latest.current, error);
      })
      .finally(() => {
        fetching.current = false;
      });
  }, [key, take]);

  if (state.key !== key) return { buffer: null, failure: null, fetchOlder };
  return { buffer: state.buffer, failure: state.failure, fetchOlder };
}

/** The lines around and after the newest that are held; the newest of all when none are. */
async function newest(
  before: LineBuffer | null,
  question: LogQuery,
  signal: AbortSignal,
): Promise<LogPage> {
  const after = before && newestLess(before, LATE_SECONDS);
  if (before === null || after === null) return fetchLogs(question, null, PAGE, signal);
  const page = await fetchLogs(question, { after }, PAGE_MAX, signal);
  if (page.logs.length < PAGE_MAX) return page;
  // So many that the late ones have to be let go.
  return fetchLogs(question, { after: newestLess(before, 0) ?? after }, PAGE_MAX, signal);
}
