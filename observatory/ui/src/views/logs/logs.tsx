/** Log lines as they come, each beside its span. */
import "./logs.css";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LogQuery } from "../../api/requests";
import { ErrorState } from "../../components/error_state";
import { Notice } from "../../components/notice";
import { useTitle } from "../../hooks/document_title";
import { followLink, go, routeOf } from "../../navigation/route";
import {
  address,
  isLive,
  selectionOf,
  selectionParameters,
  withSelection,
} from "../../navigation/selection";
import { LogList } from "./log_list";
import { FLOORS, floorOf } from "./severity";
import { useTail } from "./tail";

const TYPING_PAUSE_MS = 250;

export function LogsView({ query }: { query: URLSearchParams }) {
  const selection = selectionOf(query);
  const question: LogQuery = {
    selection: selectionParameters(selection),
    severityAtLeast: floorOf(query.get("severity")),
    text: query.get("text") ?? "",
    trace: query.get("trace") ?? "",
  };
  const live = isLive(selection.range);
  const key = JSON.stringify({ ...question, selection: question.selection.toString() });
  const { buffer, failure, fetchOlder } = useTail(key, question, live);
  useTitle("Logs");
  const refused = failure?.kind === "refused";
  return (
    <>
      <div class="logs-head">
        <h1>Logs</h1>
        <TextBox query={query} />
        <Floors query={query} />
        {question.trace !== "" && <OfTrace query={query} trace={question.trace} />}
      </div>
      <ErrorState live={{ answer: buffer, failure }} asking="Looking for log lines…" />
      {buffer !== null && !refused && buffer.lines.length === 0 && <NoLines query={query} />}
      {buffer !== null && !refused && buffer.lines.length > 0 && (
        <LogList key={key} buffer={buffer} live={live} fetchOlder={fetchOlder} />
      )}
    </>
  );
}

/** This view's address with a parameter of its own changed; empty takes it out. */
function changed(query: URLSearchParams, name: string, value: string): string {
  const after = new URLSearchParams(query);
  if (value === "") after.delete(name);
  else after.set(name, value);
  return address("/logs", after);
}

function TextBox({ query }: { query: URLSearchParams }) {
  const text = query.get("text") ?? "";
  const [typed, setTyped] = useState(text);
  const told = useRef(text);
  useLayoutEffect(() => {
    // Not by us: a link, or Back. Otherwise what was typed since stays, and a space at its end.
    if (text !== told.current) setTyped(text);
    told.current = text;
  }, [text]);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (typed.trim() === text || routeOf(location).view !== "logs") return;
      told.current = typed.trim();
      // The address as it is by now: meanwhile a severity may have been chosen.
      const now = new URLSearchParams(location.search);
      go(changed(now, "text", told.current), "replace");
    }, TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, text]);
  return (
    <search class="log-text">
      <label class="unseen" for="log-text">
        Search in the lines
      </label>
      <input
        id="log-text"
        type="search"
        value={typed}
        placeholder="Search in the lines"
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

function Floors({ query }: { query: URLSearchParams }) {
  const chosen = floorOf(query.get("severity"));
  return (
    <nav class="log-floors" aria-label="Severity at least">
      {FLOORS.map(({ name, title, least }) => (
        <a
          key={title}
          href={changed(query, "severity", name)}
          onClick={followLink}
          aria-current={chosen === least ? "true" : undefined}
        >
          {title}
        </a>
      ))}
    </nav>
  );
}

function OfTrace({ query, trace }: { query: URLSearchParams; trace: string }) {
  return (
    <span class="chip log-of-trace">
      of trace <code>{trace.slice(0, 8)}</code>
      <a href={changed(query, "trace", "")} onClick={followLink} aria-label="Lines of every trace">
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
      <Notice title="No line matches">
        <p>New ones appear here as they come.</p>
        <p>
          <a href={address("/logs", everything)} onClick={followLink}>
            Show every line that is stored
          </a>
        </p>
      </Notice>
    );
  return (
    <Notice title="No log lines yet">
      <p>
        They come over OTLP to <code>/v1/logs</code>, and appear here as they do. Buy a ticket on
        the Box Office page, or let a browser buy one.
      </p>
      <pre>
        <code>./scripts/dev --buy</code>
      </pre>
    </Notice>
  );
}
