/** The heatmap as a table: counts and durations by period. */
import type { Heatmap } from "../../api/types";
import { durationText } from "../../format";
import { momentText } from "../../navigation/range_text";
import { boxOf, type Cells, columnsOf, contentOf } from "./heatmap_scale";
import type { Box } from "./subset";

const PERIODS = 12;

interface Props {
  heatmap: Heatmap;
  box: Box | null;
  onBox: (box: Box | null) => void;
}

export function HeatmapTable({ heatmap, box, onBox }: Props) {
  const now = new Date();
  const periods = periodsOf(heatmap);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be reachable by keyboard
    <section class="table-scroll" tabIndex={0} aria-label="Traces by time, as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Traces</th>
            <th scope="col">With errors</th>
            <th scope="col">Fastest</th>
            <th scope="col">Slowest</th>
            <th scope="col">
              <span class="unseen">Compare</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {periods.map((cells) => {
            const { count, errors } = contentOf(heatmap, cells);
            const [fastest, slowest] = durationRange(heatmap, cells);
            const periodBox = boxOf(heatmap, cells);
            const from = momentText(periodBox.from, now, true);
            return (
              <tr key={periodBox.from}>
                <th scope="row">
                  {from} – {momentText(periodBox.to, now, true)}
                </th>
                <td>{count}</td>
                <td class={errors > 0 ? "bad" : ""}>{errors}</td>
                <td>{fastest === null ? "–" : `≥ ${durationText(fastest)}`}</td>
                <td>{slowest === null ? "–" : `< ${durationText(slowest)}`}</td>
                <td>
                  {count > 0 && (
                    <button
                      type="button"
                      aria-pressed={box?.from === periodBox.from && box.to === periodBox.to}
                      aria-label={`Compare the traces from ${from} on with the rest`}
                      onClick={() => onBox(periodBox)}
                    >
                      Compare
                    </button>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** Group the columns into at most twelve periods. */
function periodsOf(heatmap: Heatmap): Cells[] {
  const columns = columnsOf(heatmap);
  const length = Math.ceil(columns / PERIODS);
  return Array.from({ length: Math.ceil(columns / length) }, (_, index) => ({
    left: index * length,
    right: Math.min(columns, (index + 1) * length) - 1,
    bottom: 0,
    top: heatmap.rows.length - 1,
  }));
}

function durationRange({ cells, rows }: Heatmap, { left, right }: Cells) {
  const within = cells
    .filter(([column]) => column >= left && column <= right)
    .map(([, row]) => row);
  if (within.length === 0) return [null, null] as const;
  const [low, high] = [rows[Math.min(...within)], rows[Math.max(...within)]];
  return [low?.least_ms ?? null, high?.most_ms ?? null] as const;
}
