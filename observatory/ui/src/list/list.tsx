/** The newest traces, live. */
import "./list.css";
import { useEffect, useRef, useState } from "preact/hooks";
import { fetchCoverage, fetchTraces, type TraceLine } from "../api";
import { useLive } from "../live";
import { Notice, Unreachable } from "../notice";
import { followLink, go, tracePath } from "../route";
import { agoText, count, durationText, moodOf, percent } from "../wording";

const LIST_PAUSE_MS = 1_000;
const COVERAGE_PAUSE_MS = 4_000;
const TYPING_PAUSE_MS = 200;
const PAGE_SIZE = 50;
const LIMIT_MAX = 500;

export function TraceListView({ text }: { text: string }) {
  const [limit, setLimit] = useState(PAGE_SIZE);
  const { answer, failure } = useLive(
    `${limit} ${text}`,
    (signal) => fetchTraces(text, limit, signal),
    () => LIST_PAUSE_MS,
    true,
  );
  useEffect(() => {
    document.title = "Traces · Observatory";
  }, []);
  const unreachable = failure?.kind === "unreachable";
  return (
    <>
      <div class="list-head">
        <h1>Traces</h1>
        <Totals />
        <FilterBox text={text} />
      </div>
      {unreachable && <Unreachable stale={answer !== null} />}
      {failure?.kind === "refused" && (
        <Notice title="That filter was refused" tone="bad">
          <p>{failure.message}</p>
        </Notice>
      )}
      {answer === null && failure === null && <Notice title="Looking for traces…" tone="busy" />}
      {answer !== null && answer.traces.length === 0 && <NoTraces text={text} />}
      {answer !== null && answer.traces.length > 0 && (
        <>
          <Lines traces={answer.traces} />
          <p class="more">
            {answer.traces.length} of {count(answer.total, "trace")}
            {answer.total > answer.traces.length && limit < LIMIT_MAX && (
              <button type="button" onClick={() => setLimit(Math.min(limit * 2, LIMIT_MAX))}>
                Show more
              </button>
            )}
          </p>
        </>
      )}
    </>
  );
}

function Totals() {
  const { answer } = useLive("coverage", fetchCoverage, () => COVERAGE_PAUSE_MS);
  const share = answer?.coverage ?? null;
  const whole = share === 1 && answer?.orphans === 0;
  return (
    <dl class="totals">
      <div>
        <dt>traces</dt>
        <dd>{answer ? answer.traces.toLocaleString("en") : "–"}</dd>
      </div>
      <div>
        <dt>spans</dt>
        <dd>{answer ? answer.spans.toLocaleString("en") : "–"}</dd>
      </div>
      <div title="Spans whose parents, all stored, lead to a declared root">
        <dt>context coverage</dt>
        <dd class={share === null ? "" : whole ? "good" : "bad"}>
          {share === null ? "–" : percent(share)}
        </dd>
      </div>
      <div title="Spans whose parent is named but not stored">
        <dt>{answer?.orphans === 1 ? "orphan" : "orphans"}</dt>
        <dd class={answer?.orphans ? "bad" : ""}>{answer ? answer.orphans : "–"}</dd>
      </div>
    </dl>
  );
}

function FilterBox({ text }: { text: string }) {
  const [typed, setTyped] = useState(text);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (typed !== text) go(typed === "" ? "/" : `/?q=${encodeURIComponent(typed)}`, "replace");
    }, TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, text]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "/" && !(event.target instanceof HTMLInputElement)) {
        event.preventDefault();
        box.current?.focus();
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <search class="filter">
      <label class="unseen" for="filter">
        Filter traces
      </label>
      <input
        id="filter"
        ref={box}
        type="search"
        value={typed}
        placeholder="Filter: a service, a state, an order id…"
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") setTyped("");
        }}
      />
      <kbd>/</kbd>
    </search>
  );
}

function NoTraces({ text }: { text: string }) {
  if (text !== "")
    return (
      <Notice title={`Nothing has “${text}”`}>
        <p>
          Words are looked for in span names, services, order ids and order states, and at the start
          of trace ids.
        </p>
        <p>
          <a href="/" onClick={followLink}>
            Show all traces
          </a>
        </p>
      </Notice>
    );
  return (
    <Notice title="No traces yet">
      <p>
        Buy a ticket on the Box Office page, or let a browser buy one. The trace appears here as it
        happens.
      </p>
      <pre>
        <code>./scripts/dev --buy</code>
      </pre>
    </Notice>
  );
}

function Lines({ traces }: { traces: TraceLine[] }) {
  const now = useNow();
  const longest = Math.max(...traces.map((trace) => trace.duration_ms));
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || !(event.currentTarget instanceof HTMLElement)) return;
    const links = [...event.currentTarget.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    links[at + step]?.focus();
    event.preventDefault();
  };
  return (
    <div class="lines panel">
      <div class="line heads" aria-hidden="true">
        <span>what</span>
        <span>order state</span>
        <span>services</span>
        <span class="number">spans</span>
        <span class="duration">took</span>
        <span class="when">when</span>
      </div>
      <ol onKeyDown={onKeyDown}>
        {traces.map((trace) => (
          <li key={trace.trace_id}>
            <Line trace={trace} longest={longest} now={now} />
          </li>
        ))}
      </ol>
    </div>
  );
}

interface LineProps {
  trace: TraceLine;
  longest: number;
  now: Date;
}

function Line({ trace, longest, now }: LineProps) {
  const started = new Date(trace.started_at);
  const width = longest > 0 ? Math.max(1, (trace.duration_ms / longest) * 100) : 1;
  return (
    <a class="line" href={tracePath(trace.trace_id)} onClick={followLink}>
      <span class="what">
        <b>{trace.root}</b>
        <code>{trace.order_id ?? trace.trace_id.slice(0, 12)}</code>
      </span>
      <span class="state">
        {trace.order_state !== null && (
          <span class={`chip ${moodOf(trace.order_state)}`}>{trace.order_state}</span>
        )}
        {trace.errors > 0 && <span class="chip bad">{count(trace.errors, "error")}</span>}
        {trace.orphans > 0 && <span class="chip warn">{count(trace.orphans, "orphan")}</span>}
      </span>
      <span class="services" title={trace.services.join(", ")}>
        {trace.services.join(" · ")}
      </span>
      <span class="number">
        {trace.spans}
        <span class="unit"> {trace.spans === 1 ? "span" : "spans"}</span>
      </span>
      <span class="duration">
        <span class="gauge" aria-hidden="true">
          <span style={{ width: `${width}%` }} />
        </span>
        {durationText(trace.duration_ms)}
      </span>
      <time class="when" dateTime={trace.started_at} title={started.toLocaleString()}>
        {agoText(started, now)}
      </time>
    </a>
  );
}

function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
