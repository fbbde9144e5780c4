/** One metric: its chart, its lines by name, or its values as a table. */
import { useMemo, useState } from "preact/hooks";
import { fetchSeries } from "../../api/requests";
import type { Metric, MetricSeries } from "../../api/types";
import { Notice } from "../../components/notice";
import { count, fullMoment } from "../../format";
import { usePolling } from "../../hooks/polling";
import { followLink } from "../../navigation/route";
import { isLive, selectionOf, selectionParameters } from "../../navigation/selection";
import { Chart } from "./chart";
import { type ChartLines, chartLines } from "./chart_lines";
import { unitText, valueText } from "./units";

const PAUSE_MS = 5_000;
const SETTLED_PAUSE_MS = 60_000;
const TABLE_ROWS = 200;

const KINDS: Record<Metric["type"], string> = {
  gauge: "gauge",
  sum: "sum",
  histogram: "histogram",
  exponential_histogram: "exponential histogram",
  summary: "summary",
};

interface Props {
  metric: Metric;
  query: URLSearchParams;
  /** This view's address, shown another way. */
  shownAs: (shape: "chart" | "table") => string;
}

export function MetricPanel({ metric, query, shownAs }: Props) {
  const { range } = selectionOf(query);
  const parameters = selectionParameters({ q: "", range });
  const { answer, failure } = usePolling(
    `${metric.service}\n${metric.name}\n${parameters}`,
    (signal) => fetchSeries(metric, parameters, signal),
    () => (isLive(range) ? PAUSE_MS : SETTLED_PAUSE_MS),
  );
  const table = query.get("as") === "table";
  return (
    <section class="metric panel" aria-labelledby="metric-title">
      <div class="metric-head">
        <h2 id="metric-title">{metric.name}</h2>
        <nav class="metric-shapes" aria-label="How the metric is shown">
          <a href={shownAs("chart")} onClick={followLink} aria-current={table ? undefined : "true"}>
            Chart
          </a>
          <a href={shownAs("table")} onClick={followLink} aria-current={table ? "true" : undefined}>
            Table
          </a>
        </nav>
      </div>
      {metric.description && <p>{metric.description}</p>}
      <p class="sub">
        {[metric.service, KINDS[metric.type], unitText(metric.unit), count(metric.points, "point")]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {answer === null && failure === null && (
        <div class="chart waiting" role="status">
          <span class="pulse" aria-hidden="true" /> Fetching the points…
        </div>
      )}
      {failure !== null && answer === null && (
        <Notice title="The points can't be shown" tone="bad">
          <p>{failure.message}</p>
        </Notice>
      )}
      {answer !== null && <Values metric={metric} answer={answer} table={table} />}
    </section>
  );
}

interface ValuesProps {
  metric: Metric;
  answer: MetricSeries;
  table: boolean;
}

function Values({ metric, answer, table }: ValuesProps) {
  const lines = useMemo(() => chartLines(answer), [answer]);
  const [point, setPoint] = useState<number | null>(null);
  // A histogram's rate is of its count, which its quantiles are not.
  const rate = answer.rate && answer.quantiles === null;
  const text = (value: number | null) => valueText(value, metric.unit, rate);
  if (lines.times.length === 0)
    return (
      <div class="chart waiting">
        <p>No points in this range of time.</p>
      </div>
    );
  return (
    <>
      {table ? (
        <Table lines={lines} text={text} title={metric.name} />
      ) : (
        <Chart lines={lines} title={metric.name} valueText={text} onPoint={setPoint} />
      )}
      <p class="metric-when">
        {point === null ? "Newest" : fullMoment(new Date((lines.times[point] ?? 0) * 1000))}
      </p>
      <ul class="metric-lines">
        {lines.lines.map(({ label, values }, index) => (
          <li key={label}>
            <span class={`line-sample series-${index + 1}`} />
            <span class="label">{label}</span>
            <b>{text(point === null ? lastOf(values) : (values[point] ?? null))}</b>
          </li>
        ))}
      </ul>
      <p class="sub">
        {rate && "The sum only grows, so what is shown is how much it grew in a second. "}
        {answer.quantiles && "Estimated from the histogram's buckets. "}
        {lines.hidden > 0 && `${lines.hidden} more series not shown.`}
      </p>
    </>
  );
}

function lastOf(values: (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

interface TableProps {
  lines: ChartLines;
  title: string;
  text: (value: number | null) => string;
}

/** The newest values, newest first. */
function Table({ lines, title, text }: TableProps) {
  const from = Math.max(0, lines.times.length - TABLE_ROWS);
  const indexes = lines.times.slice(from).map((_, index) => from + index);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it
    <section class="metric-table" tabIndex={0} aria-label={`Values of ${title}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">when</th>
            {lines.lines.map(({ label }) => (
              <th key={label} scope="col" class="number">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {indexes.toReversed().map((at) => (
            <tr key={at}>
              <th scope="row">{fullMoment(new Date((lines.times[at] ?? 0) * 1000))}</th>
              {lines.lines.map(({ label, values }) => (
                <td key={label} class="number">
                  {text(values[at] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
