/** Fetching log lines: new ones as they arrive, older ones on demand. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "../../api/client";
import { fetchLogs, type LogQuery } from "../../api/requests";
import type { LogPage } from "../../api/types";
import { pollWhileVisible } from "../../hooks/polling";
import {
  createBuffer,
  type LineBuffer,
  timeBeforeNewest,
  withNewer,
  withOlder,
} from "./line_buffer";

const PAGE = 200;
const PAGE_MAX = 1_000;
// Exporters batch lines for some seconds, so a line may arrive after newer ones of another service.
const LATE_SECONDS = 15;
const PAUSE_MS = 1_000;
const BUFFER_LINES_MAX = 20_000;

export interface Tail {
  /** Null until the first answer. */
  buffer: LineBuffer | null;
  failure: ApiFailure | null;
  /** Fetch a page of older lines; does nothing while another request is pending. */
  fetchOlder: () => void;
}

/**
 * Fetch the newest lines, and poll for later ones while `live`.
 *
 * @param key identifies the query; a new key empties the buffer.
 */
export function useTail(key: string, query: LogQuery, live: boolean): Tail {
  const [state, setState] = useState<{
    key: string;
    buffer: LineBuffer | null;
    failure: ApiFailure | null;
  }>({ key, buffer: null, failure: null });
  const latest = useRef<LineBuffer | null>(null);
  const fetching = useRef(false);
  const currentQuery = useRef(query);
  currentQuery.current = query;
  const currentKey = useRef(key);
  currentKey.current = key;
  const update = useCallback(
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

  useEffect(
    () =>
      pollWhileVisible(async (signal) => {
        if (!live && latest.current !== null) return null;
        try {
          const page = await fetchNewest(latest.current, currentQuery.current, signal);
          const before = latest.current;
          if (before?.lines.length) update(withNewer(before, page.logs, BUFFER_LINES_MAX), null);
          else update(createBuffer(page.logs, page.next), null);
        } catch (error) {
          if (signal.aborted) return null;
          if (!(error instanceof ApiFailure)) throw error;
          update(latest.current, error);
        }
        return live ? PAUSE_MS : null;
      }),
    [key, live, update],
  );

  const fetchOlder = useCallback(() => {
    const older = latest.current?.older;
    if (!older || fetching.current) return;
    fetching.current = true;
    fetchLogs(currentQuery.current, { before: older }, PAGE, new AbortController().signal)
      .then((page) => {
        // The query may have changed in the meantime.
        if (currentKey.current === key && latest.current?.older === older)
          update(withOlder(latest.current, page.logs, page.next), null);
      })
      .catch((error: unknown) => {
        if (!(error instanceof ApiFailure)) throw error;
        if (currentKey.current === key) update(latest.current, error);
      })
      .finally(() => {
        fetching.current = false;
      });
  }, [key, update]);

  if (state.key !== key) return { buffer: null, failure: null, fetchOlder };
  return { buffer: state.buffer, failure: state.failure, fetchOlder };
}

/** Fetch the lines since shortly before the newest in the buffer; of an empty one, the newest page. */
async function fetchNewest(
  before: LineBuffer | null,
  query: LogQuery,
  signal: AbortSignal,
): Promise<LogPage> {
  const after = before && timeBeforeNewest(before, LATE_SECONDS);
  if (before === null || after === null) return fetchLogs(query, null, PAGE, signal);
  const page = await fetchLogs(query, { after }, PAGE_MAX, signal);
  if (page.logs.length < PAGE_MAX) return page;
  // More lines arrived than a page holds: skip late ones, and continue after the newest in the buffer.
  return fetchLogs(query, { after: timeBeforeNewest(before, 0) ?? after }, PAGE_MAX, signal);
}
