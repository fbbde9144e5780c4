/** The Ask view: SQL queries over everything that is stored. */
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
import { errorPosition, withoutPosition } from "./error_position";
import { remember } from "./query_history";
import { QueryHistoryMenu } from "./query_history_menu";
import { Results } from "./results";
import { Schema } from "./schema";

const LIMIT = 1_000;
const LIMIT_MAX = 10_000;
const SCHEMA_PAUSE_MS = 600_000;
const RETRY_PAUSE_MS = 3_000;

export function AskView({ query }: { query: URLSearchParams }) {
  const live = usePolling("schema", fetchSqlSchema, (schema) =>
    schema ? SCHEMA_PAUSE_MS : RETRY_PAUSE_MS,
  );
  useTitle("Ask");
  return (
    <>
      <div class="ask-head">
        <h1>Ask</h1>
        <p class="sub">Query everything that is stored with SQL. Queries are read-only.</p>
      </div>
      <ErrorState request={live} />
      <QueryEditor urlSql={query.get("sql") ?? ""} schema={live.answer} />
    </>
  );
}

/** The state of the current query. */
type QueryState =
  | { kind: "none" }
  | { kind: "running"; cancel: () => void }
  | { kind: "table"; table: SqlResult; limit: number }
  | { kind: "failed"; sql: string; failure: ApiFailure };

function QueryEditor({ urlSql, schema }: { urlSql: string; schema: SqlSchema | null }) {
  const [sql, setSql] = useState(urlSql);
  const field = useRef<HTMLTextAreaElement>(null);
  const { state, run } = useQuery();
  // Run the query in the address when it changes, also by Back. A layout effect, because a later one
  // could overwrite text typed in the meantime.
  useLayoutEffect(() => {
    setSql(urlSql);
    void run(urlSql, LIMIT);
  }, [urlSql, run]);
  const submit = (text: string) => {
    if (text.trim() === "") return;
    if (text === urlSql) void run(text, LIMIT);
    else go(address("/ask", new URLSearchParams({ sql: text })));
  };
  const insert = (name: string) => {
    field.current?.focus();
    typeText(name);
  };
  return (
    <div class="ask-body">
      <div class="ask-main">
        <section class="panel editor" aria-label="Query">
          <Editor
            sql={sql}
            field={field}
            invalid={state.kind === "failed" && state.failure.kind === "refused"}
            onInput={setSql}
            onRun={() => submit(field.current?.value ?? sql)}
          />
          <div class="editor-foot">
            <button type="button" class="run" onClick={() => submit(sql)}>
              Run
            </button>
            {state.kind === "running" ? (
              <button type="button" onClick={state.cancel}>
                Cancel
              </button>
            ) : (
              <span class="keys">
                <kbd>Ctrl</kbd> <kbd>Enter</kbd>
              </span>
            )}
            <QueryHistoryMenu onChoose={submit} />
          </div>
        </section>
        <ul class="examples" aria-label="Example queries">
          {schema?.examples.map(({ question, sql: example }) => (
            <li key={question}>
              <button type="button" onClick={() => submit(example)}>
                {question}
              </button>
            </li>
          ))}
        </ul>
        <Result
          state={state}
          onMore={() => void run(urlSql, LIMIT_MAX)}
          onPosition={(index) => {
            field.current?.focus();
            field.current?.setSelectionRange(index, index);
          }}
        />
      </div>
      {schema && <Schema views={schema.views} onName={insert} />}
    </div>
  );
}

/** Run one query at a time; a new one cancels the one that is running. */
function useQuery() {
  const [state, setQueryState] = useState<QueryState>({ kind: "none" });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const run = useCallback(async (sql: string, limit: number) => {
    running.current?.abort();
    if (sql.trim() === "") {
      setQueryState({ kind: "none" });
      return;
    }
    const abort = new AbortController();
    running.current = abort;
    const cancel = () => {
      abort.abort();
      setQueryState({ kind: "none" });
    };
    setQueryState({ kind: "running", cancel });
    try {
      const table = await runSql(sql, limit, abort.signal);
      remember(localStorage, sql);
      setQueryState({ kind: "table", table, limit });
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof ApiFailure)) throw error;
      setQueryState({ kind: "failed", sql, failure: error });
    }
  }, []);
  return { state, run };
}

interface ResultProps {
  state: QueryState;
  onMore: () => void;
  onPosition: (index: number) => void;
}

function Result({ state, onMore, onPosition }: ResultProps) {
  switch (state.kind) {
    case "none":
      return (
        <p class="ask-empty panel">
          Write a query, or start with one of the examples above. Its result appears here.
        </p>
      );
    case "running":
      return (
        <p class="ask-empty panel" role="status">
          <span class="pulse" aria-hidden="true" /> Running…
        </p>
      );
    case "failed":
      return <Failed sql={state.sql} failure={state.failure} onPosition={onPosition} />;
    case "table":
      return (
        <Results
          table={state.table}
          limit={state.limit}
          onMore={state.limit < LIMIT_MAX ? onMore : null}
        />
      );
  }
}

interface FailedProps {
  sql: string;
  failure: ApiFailure;
  onPosition: (index: number) => void;
}

function Failed({ sql, failure, onPosition }: FailedProps) {
  const position = errorPosition(sql, failure.message);
  return (
    <section class="ask-failed panel" role="alert">
      <h2>
        {failure.kind === "unreachable" ? "The Observatory doesn't answer" : "The query failed"}
      </h2>
      <p>{position ? withoutPosition(failure.message) : failure.message}</p>
      {position && (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be reachable by keyboard */}
          <pre tabIndex={0}>
            {position.text}
            {"\n"}
            {" ".repeat(position.column - 1)}
            <b>^</b>
          </pre>
          <button type="button" onClick={() => onPosition(position.index)}>
            Go to line {position.line}, column {position.column}
          </button>
        </>
      )}
    </section>
  );
}
