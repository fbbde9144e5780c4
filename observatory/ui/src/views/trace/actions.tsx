/** Actions on a whole trace: compare, export, query, copy its id. */
import "./actions.css";
import { useRef, useState } from "preact/hooks";
import { fetchTraces, traceExportPath } from "../../api/requests";
import type { Trace, TraceLine } from "../../api/types";
import { CopyButton, CopyIcon } from "../../components/copy_button";
import { durationText } from "../../format";
import { quoted } from "../../navigation/filter_syntax";
import { diffPath, followLink, go } from "../../navigation/route";
import { stateOf } from "../../promoted";
import { type Candidates, candidatesIn } from "./compare_candidates";

const NEWEST = { sort: "start", order: "desc", limit: 200 } as const;
const TRACE_ID = /^[0-9a-f]{32}$/;

export function Actions({ trace }: { trace: Trace }) {
  return (
    <div class="trace-actions">
      <Compare trace={trace} />
      <a class="button" href={traceExportPath(trace.trace_id)} download={`${trace.trace_id}.json`}>
        Export<span class="wide"> OTLP/JSON</span>
      </a>
      <a class="button" href={askPath(trace.trace_id)} onClick={followLink}>
        Ask<span class="wide"> in SQL</span>
      </a>
      <CopyButton text={trace.trace_id} label="Copy id" class="button">
        <CopyIcon /> Copy id
      </CopyButton>
    </div>
  );
}

/** Return the address of the Ask view with a query for the trace's time by service and span name. */
function askPath(traceId: string): string {
  const sql = `select service, name, count(*) as times,
    round(sum(duration_ms), 1) as total_ms, round(max(duration_ms), 1) as longest_ms
from spans where trace_id = '${traceId}'
group by all order by total_ms desc`;
  return `/ask?${new URLSearchParams({ sql })}`;
}

function Compare({ trace }: { trace: Trace }) {
  const panel = useRef<HTMLDivElement>(null);
  const [candidates, setCandidates] = useState<Candidates | null>(null);
  const [failed, setFailed] = useState(false);
  const [other, setOther] = useState("");
  const findCandidates = async () => {
    setFailed(false);
    try {
      const sameRoot = new URLSearchParams();
      if (trace.root) sameRoot.set("q", `name = ${quoted(trace.root)}`);
      const list = await fetchTraces(sameRoot, NEWEST, new AbortController().signal);
      setCandidates(candidatesIn(list.traces, trace));
    } catch {
      setFailed(true);
    }
  };
  const compareWith = (traceId: string) => {
    panel.current?.hidePopover();
    const clocks = new URLSearchParams(trace.skew_corrected ? { correct_skew: "1" } : {});
    go(diffPath(traceId, trace.trace_id, clocks));
  };
  const isValidId = TRACE_ID.test(other.trim().toLowerCase());
  return (
    <>
      <button type="button" class="button" popovertarget="compare">
        Compare with…
      </button>
      <div
        id="compare"
        class="compare-with panel"
        popover="auto"
        role="dialog"
        aria-labelledby="compare-title"
        ref={panel}
        onToggle={(event) => {
          if (event.newState === "open") void findCandidates();
        }}
      >
        <h2 id="compare-title">Compare with</h2>
        {failed && <p class="bad">The list of traces could not be loaded.</p>}
        {candidates === null && !failed && <p class="soft">Looking for similar traces…</p>}
        {candidates?.count === 0 && (
          <p class="soft">No other recent trace has the same root span.</p>
        )}
        {candidates && (
          <ul>
            <Candidate candidate={candidates.typical} trace={trace} onSelect={compareWith}>
              A typical one
            </Candidate>
            <Candidate candidate={candidates.fastest} trace={trace} onSelect={compareWith}>
              The fastest
            </Candidate>
            <Candidate candidate={candidates.slowest} trace={trace} onSelect={compareWith}>
              The slowest
            </Candidate>
          </ul>
        )}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (isValidId) compareWith(other.trim().toLowerCase());
          }}
        >
          <label>
            Another trace
            <input
              value={other}
              placeholder="trace id"
              spellcheck={false}
              autocomplete="off"
              onInput={(event) => setOther(event.currentTarget.value)}
            />
          </label>
          <button type="submit" disabled={!isValidId}>
            Compare
          </button>
        </form>
      </div>
    </>
  );
}

interface CandidateProps {
  candidate: TraceLine | null;
  trace: Trace;
  onSelect: (traceId: string) => void;
  children: string;
}

function Candidate({ candidate, trace, onSelect, children }: CandidateProps) {
  if (candidate === null) return null;
  const state = stateOf(candidate);
  return (
    <li>
      <button type="button" onClick={() => onSelect(candidate.trace_id)}>
        <b>{children}</b>
        <span>
          {durationText(candidate.duration_ms)}
          {state !== null && ` · ${state}`}
        </span>
        <span class="soft">{differenceText(candidate.duration_ms - trace.duration_ms)}</span>
      </button>
    </li>
  );
}

/** Describe a difference in duration: `1.2 s less than this one`. */
function differenceText(deltaMs: number): string {
  return `${durationText(Math.abs(deltaMs))} ${deltaMs < 0 ? "less" : "more"} than this one`;
}
