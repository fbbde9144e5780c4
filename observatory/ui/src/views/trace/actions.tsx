/** What one can do with a whole trace: compare it, take it away. */
import "./actions.css";
import { useRef, useState } from "preact/hooks";
import { fetchTraces, traceExportPath } from "../../api/requests";
import type { Trace, TraceLine } from "../../api/types";
import { Copy, CopyIcon } from "../../components/copy_button";
import { durationText } from "../../format";
import { quoted } from "../../navigation/filter_syntax";
import { diffPath, followLink, go } from "../../navigation/route";
import { type Candidates, candidatesIn } from "./compare_candidates";

const NEWEST = { sort: "start", order: "desc", limit: 200 } as const;
const TRACE_ID = /^[0-9a-f]{32}$/;

export function Actions({ trace }: { trace: Trace }) {
  return (
    <div class="trace-actions">
      <Compare trace={trace} />
      <a
        class="button"
        href={traceExportPath(trace.trace_id)}
        download={`${trace.trace_id}.json`}
      >
        Export<span class="wide"> OTLP/JSON</span>
      </a>
      <a class="button" href={askPath(trace.trace_id)} onClick={followLink}>
        Ask<span class="wide"> in SQL</span>
      </a>
      <Copy text={trace.trace_id} label="Copy id" class="button">
        <CopyIcon /> Copy id
      </Copy>
    </div>
  );
}

/** The view Ask with a question to begin with: what its spans come to by service and name. */
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
  const look = async () => {
    setFailed(false);
    try {
      const alike = new URLSearchParams();
      if (trace.root) alike.set("q", `name = ${quoted(trace.root)}`);
      const list = await fetchTraces(alike, NEWEST, new AbortController().signal);
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
  const known = TRACE_ID.test(other.trim().toLowerCase());
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
          if (event.newState === "open") void look();
        }}
      >
        <h2 id="compare-title">Compare with</h2>
        {failed && <p class="bad">The list of traces can't be had just now.</p>}
        {candidates === null && !failed && <p class="soft">Looking for traces like it…</p>}
        {candidates?.among === 0 && <p class="soft">No other trace begins the same way.</p>}
        {candidates && (
          <ul>
            <Candidate line={candidates.usual} trace={trace} onChoose={compareWith}>
              A usual one
            </Candidate>
            <Candidate line={candidates.fastest} trace={trace} onChoose={compareWith}>
              The fastest
            </Candidate>
            <Candidate line={candidates.slowest} trace={trace} onChoose={compareWith}>
              The slowest
            </Candidate>
          </ul>
        )}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (known) compareWith(other.trim().toLowerCase());
          }}
        >
          <label>
            Or one that you know
            <input
              value={other}
              placeholder="its trace id"
              spellcheck={false}
              autocomplete="off"
              onInput={(event) => setOther(event.currentTarget.value)}
            />
          </label>
          <button type="submit" disabled={!known}>
            Compare
          </button>
        </form>
      </div>
    </>
  );
}

interface CandidateProps {
  line: TraceLine | null;
  trace: Trace;
  onChoose: (traceId: string) => void;
  children: string;
}

function Candidate({ line, trace, onChoose, children }: CandidateProps) {
  if (line === null) return null;
  return (
    <li>
      <button type="button" onClick={() => onChoose(line.trace_id)}>
        <b>{children}</b>
        <span>
          {durationText(line.duration_ms)}
          {line.order_state && ` · ${line.order_state}`}
        </span>
        <span class="soft">{againstText(line.duration_ms - trace.duration_ms)}</span>
      </button>
    </li>
  );
}

/** `1.2 s less`, `1.2 s more`. */
function againstText(deltaMs: number): string {
  return `${durationText(Math.abs(deltaMs))} ${deltaMs < 0 ? "less" : "more"} than this one`;
}
