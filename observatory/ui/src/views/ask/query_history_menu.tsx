/** What was asked before, to ask it again. */
import { useState } from "preact/hooks";
import { Popover } from "../../components/popover";
import { forget, queryHistory } from "./query_history";

export function QueryHistoryMenu({ onChoose }: { onChoose: (sql: string) => void }) {
  return (
    <div class="past">
      <Popover label="Asked before" title="Questions asked before, to ask again">
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
  const [questions, setQuestions] = useState(() => queryHistory(localStorage));
  if (questions.length === 0) return <p class="sub">Nothing yet.</p>;
  return (
    <>
      <ol>
        {questions.map((sql) => (
          <li key={sql}>
            <button type="button" class="question" onClick={() => onChoose(sql)}>
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
          setQuestions([]);
        }}
      >
        Forget them
      </button>
    </>
  );
}
