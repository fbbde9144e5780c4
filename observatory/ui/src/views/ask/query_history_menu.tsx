/** A menu of past queries, to run one again. */
import { useState } from "preact/hooks";
import { Popover } from "../../components/popover";
import { forget, queryHistory } from "./query_history";

export function QueryHistoryMenu({ onChoose }: { onChoose: (sql: string) => void }) {
  return (
    <div class="query-history">
      <Popover label="History" title="Past queries, to run again">
        {(close) => (
          <List
            onChoose={(sql) => {
              close();
              onChoose(sql);
            }}
          />
        )}
      </Popover>
    </div>
  );
}

function List({ onChoose }: { onChoose: (sql: string) => void }) {
  const [queries, setQueries] = useState(() => queryHistory(localStorage));
  if (queries.length === 0) return <p class="sub">No query has been run yet.</p>;
  return (
    <>
      <ol>
        {queries.map((sql) => (
          <li key={sql}>
            <button type="button" class="query" onClick={() => onChoose(sql)}>
              {sql}
            </button>
          </li>
        ))}
      </ol>
      <button
        type="button"
        class="as-link"
        onClick={() => {
          forget(localStorage);
          setQueries([]);
        }}
      >
        Clear the history
      </button>
    </>
  );
}
