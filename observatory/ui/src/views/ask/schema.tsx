/** The views and columns that can be queried; a click inserts a column's name into the query. */
import type { SqlView } from "../../api/types";

interface Props {
  views: SqlView[];
  onName: (name: string) => void;
}

export function Schema({ views, onName }: Props) {
  return (
    <aside class="sql-schema panel" aria-label="Views and columns">
      <h2>Views and columns</h2>
      {views.map((view, index) => (
        <details key={view.name} open={index === 0}>
          <summary>
            <code>{view.name}</code> <span class="sub">{view.says}</span>
          </summary>
          <ul>
            {view.columns.map((column) => (
              <li key={column.name}>
                <button
                  type="button"
                  class="as-link column-name"
                  aria-label={`Insert ${column.name}`}
                  onClick={() => onName(column.name)}
                >
                  {column.name}
                </button>{" "}
                <span class="type">{column.type.toLowerCase()}</span>
                {column.says && <p class="sub">{column.says}</p>}
              </li>
            ))}
          </ul>
        </details>
      ))}
    </aside>
  );
}
