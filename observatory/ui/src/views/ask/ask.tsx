/** Questions in SQL, about everything that is stored. */
import "./ask.css";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "../../api/client";
import { fetchSqlSchema, runSql } from "../../api/requests";
import type { SqlResult, SqlSchema } from "../../api/types";
import { ErrorState } from "../../components/error_state";
import { useTitle } from "../../hooks/document_title";
import { usePolling } from "../../hooks/polling";
import { go } from "../../navigation/route";
import { address } from "../../navigation/selection";
import { Editor, typeText } from "./editor";
import { withoutPosition, errorPosition } from "./error_position";
import { remember } from "./query_history";
import { QueryHistoryMenu } from "./query_history_menu";
import { Results } from "./results";
import { Schema } from "./schema";

const LIMIT = 1_000;
const LIMIT_MAX = 10_000;
const SCHEMA_PAUSE_MS = 600_000;
const RETRY_PAUSE_MS = 3_000;

export function AskView({ query }: { query: URLSearchParams }) {
  const live = usePolling("schema", fetchSqlSchema, (known) =>
    known ? SCHEMA_PAUSE_MS : RETRY_PAUSE_MS,
  );
  useTitle("Ask");
  return (
    <>
      <div class="ask-head">
        <h1>Ask</h1>
        <p class="sub">SQL over everything that is stored. It can read, and change nothing.</p>
      </div>
      <ErrorState live={live} />
      <Question asked={query.get("sql") ?? ""} schema={live.answer} />
    </>
  );
}

/** How an asked question stands. */
type Outcome =
  | { kind: "none" }
  | { kind: "running"; cancel: () => void }
  | { kind: "table"; table: SqlResult; limit: number }
  | { kind: "failed"; sql: string; failure: ApiFailure };

function Question({ asked, schema }: { asked: string; schema: SqlSchema | null }) {
  const [sql, setSql] = useState(asked);
  const field = useRef<HTMLTextAreaElement>(null);
  const { outcome, run } = useAnswer();
  // What the address names is asked as soon as one gets there, also by Back; and before anything is
  // seen, since it overwrites what is in the field.
  useLayoutEffect(() => {
    setSql(asked);
    void run(asked, LIMIT);
  }, [asked, run]);
  const ask = (text: string) => {
    if (text.trim() === "") return;
    if (text === asked) void run(text, LIMIT);
    else go(address("/ask", new URLSearchParams({ sql: text })));
  };
  const write = (name: string) => {
    field.current?.focus();
    typeText(name);
  };
  return (
    <div class="ask-body">
      <div class="ask-main">
        <section class="panel editor" aria-label="Question">
          <Editor
            sql={sql}
            container={field}
            wrong={outcome.kind === "failed" && outcome.failure.kind === "refused"}
            onInput={setSql}
            onRun={() => ask(field.current?.value ?? sql)}
          />
          <div class="editor-foot">
            <button type="button" class="run" onClick={() => ask(sql)}>
              Run
            </button>
            {outcome.kind === "running" ? (
              <button type="button" onClick={outcome.cancel}>
                Cancel
              </button>
            ) : (
              <span class="keys">
                <kbd>Ctrl</kbd> <kbd>Enter</kbd>
              </span>
            )}
            <QueryHistoryMenu onChoose={ask} />
          </div>
        </section>
        <ul class="examples" aria-label="Questions to begin with">
          {schema?.examples.map(({ question, sql: example }) => (
            <li key={question}>
              <button type="button" onClick={() => ask(example)}>
                {question}
              </button>
            </li>
          ))}
        </ul>
        <Answer
          outcome={outcome}
          onMore={() => void run(asked, LIMIT_MAX)}
          onViewState={(index) => {
            field.current?.focus();
            field.current?.setSelectionRange(index, index);
          }}
        />
      </div>
      {schema && <Schema views={schema.views} onName={write} />}
    </div>
  );
}

/** Asks one question at a time; another one takes the place of the one that runs. */
function useAnswer() {
  const [outcome, setOutcome] = useState<Outcome>({ kind: "none" });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const run = useCallback(async (sql: string, limit: number) => {
    running.current?.abort();
    if (sql.trim() === "") {
      setOutcome({ kind: "none" });
      return;
    }
    const abort = new AbortController();
    running.current = abort;
    const cancel = () => {
      abort.abort();
      setOutcome({ kind: "none" });
    };
    setOutcome({ kind: "running", cancel });
    try {
      const table = await runSql(sql, limit, abort.signal);
      remember(localStorage, sql);
      setOutcome({ kind: "table", table, limit });
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof ApiFailure)) throw error;
      setOutcome({ kind: "failed", sql, failure: error });
    }
  }, []);
  return { outcome, run };
}

interface AnswerProps {
  outcome: Outcome;
  onMore: () => void;
  onViewState: (index: number) => void;
}

function Answer({ outcome, onMore, onViewState }: AnswerProps) {
  switch (outcome.kind) {
    case "none":
      return (
        <p class="ask-nothing panel">
          Ask something, or begin with one of the questions above. The answer appears here.
        </p>
      );
    case "running":
      return (
        <p class="ask-nothing panel" role="status">
          <span class="pulse" aria-hidden="true" /> Asking…
        </p>
      );
    case "failed":
      return <Failed sql={outcome.sql} failure={outcome.failure} onViewState={onViewState} />;
    case "table":
      return (
        <Results
          table={outcome.table}
          limit={outcome.limit}
          onMore={outcome.limit < LIMIT_MAX ? onMore : null}
        />
      );
  }
}

interface FailedProps {
  sql: string;
  failure: ApiFailure;
  onViewState: (index: number) => void;
}

function Failed({ sql, failure, onViewState }: FailedProps) {
  const container = errorPosition(sql, failure.message);
  return (
    <section class="ask-failed panel" role="alert">
      <h2>{failure.kind === "unreachable" ? "Nothing answers" : "That can't be answered"}</h2>
      <p>{container ? withoutPosition(failure.message) : failure.message}</p>
      {container && (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it */}
          <pre tabIndex={0}>
            {container.text}
            {"\n"}
            {" ".repeat(container.column - 1)}
            <b>^</b>
          </pre>
          <button type="button" onClick={() => onViewState(container.index)}>
            Go to line {container.line}, column {container.column}
          </button>
        </>
      )}
    </section>
  );
}
