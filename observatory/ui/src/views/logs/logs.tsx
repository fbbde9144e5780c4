/** The Logs view: log lines as they arrive, each linked to its span. */
import "./logs.css";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LogQuery } from "../../api/requests";
import { ErrorState } from "../../components/error_state";
import { ExporterSetting, Notice } from "../../components/notice";
import { SegmentedLinks } from "../../components/segmented_links";
import { useTitle } from "../../hooks/document_title";
import { followLink, go, routeOf } from "../../navigation/route";
import {
  address,
  isLive,
  selectionOf,
  selectionParameters,
  withSelection,
} from "../../navigation/selection";
import { MIN_SEVERITIES, minSeverity } from "../../severity";
import { LogList } from "./log_list";
import { useTail } from "./tail";

const TYPING_PAUSE_MS = 250;

export function LogsView({ query }: { query: URLSearchParams }) {
  const selection = selectionOf(query);
  const logQuery: LogQuery = {
    selection: selectionParameters(selection),
    severityAtLeast: minSeverity(query.get("severity")),
    text: query.get("text") ?? "",
    trace: query.get("trace") ?? "",
  };
  const live = isLive(selection.range);
  const key = JSON.stringify({ ...logQuery, selection: logQuery.selection.toString() });
  const { buffer, failure, fetchOlder } = useTail(key, logQuery, live);
  useTitle("Logs");
  const refused = failure?.kind === "refused";
  return (
    <>
      <div class="logs-head">
        <h1>Logs</h1>
        <TextBox query={query} />
        <SeverityFilter query={query} />
        {logQuery.trace !== "" && <TraceChip query={query} trace={logQuery.trace} />}
      </div>
      <ErrorState request={{ answer: buffer, failure }} loading="Loading log lines…" />
      {buffer !== null && !refused && buffer.lines.length === 0 && <NoLines query={query} />}
      {buffer !== null && !refused && buffer.lines.length > 0 && (
        <LogList key={key} buffer={buffer} live={live} fetchOlder={fetchOlder} />
      )}
    </>
  );
}

/** Return this view's address with a parameter changed; an empty value removes it. */
function withParameter(query: URLSearchParams, name: string, value: string): string {
  const after = new URLSearchParams(query);
  if (value === "") after.delete(name);
  else after.set(name, value);
  return address("/logs", after);
}

function TextBox({ query }: { query: URLSearchParams }) {
  const text = query.get("text") ?? "";
  const [typed, setTyped] = useState(text);
  const appliedText = useRef(text);
  useLayoutEffect(() => {
    // Changed by a link or Back, not by typing: text typed in the meantime stays as it is.
    if (text !== appliedText.current) setTyped(text);
    appliedText.current = text;
  }, [text]);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (typed.trim() === text || routeOf(location).view !== "logs") return;
      appliedText.current = typed.trim();
      // Read the address again: a severity may have been chosen in the meantime.
      const now = new URLSearchParams(location.search);
      go(withParameter(now, "text", appliedText.current), "replace");
    }, TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, text]);
  return (
    <search class="log-text">
      <label class="unseen" for="log-text">
        Search log lines
      </label>
      <input
        id="log-text"
        type="search"
        value={typed}
        placeholder="Search log lines"
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") setTyped("");
        }}
      />
    </search>
  );
}

function SeverityFilter({ query }: { query: URLSearchParams }) {
  const chosen = minSeverity(query.get("severity"));
  return (
    <SegmentedLinks
      label="Minimum severity"
      links={MIN_SEVERITIES.map(({ name, title, minimum }) => ({
        title,
        path: withParameter(query, "severity", name),
        current: chosen === minimum,
      }))}
    />
  );
}

function TraceChip({ query, trace }: { query: URLSearchParams; trace: string }) {
  return (
    <span class="chip log-of-trace">
      of trace <code>{trace.slice(0, 8)}</code>
      <a
        href={withParameter(query, "trace", "")}
        onClick={followLink}
        aria-label="Show lines of all traces"
      >
        ×
      </a>
    </span>
  );
}

function NoLines({ query }: { query: URLSearchParams }) {
  const selection = selectionOf(query);
  const narrowed =
    selection.q !== "" ||
    selection.range.kind !== "all" ||
    ["text", "severity", "trace"].some((name) => query.has(name));
  const everything = withSelection(new URLSearchParams(), { q: "", range: { kind: "all" } });
  if (narrowed)
    return (
      <Notice title="No log line matches">
        <p>New lines appear here as they arrive.</p>
        <p>
          <a href={address("/logs", everything)} onClick={followLink}>
            Show all stored lines
          </a>
        </p>
      </Notice>
    );
  return (
    <Notice title="No log lines yet">
      <p>
        Log lines appear here as soon as an app sends them over OTLP to <code>/v1/logs</code>. Start
        your app with:
      </p>
      <ExporterSetting />
    </Notice>
  );
}
