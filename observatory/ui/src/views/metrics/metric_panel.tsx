/** One metric: its chart or table, and the legend with current values. */
import { useMemo, useState } from "preact/hooks";
import { fetchSeries } from "../../api/requests";
import type { Metric, MetricSeries } from "../../api/types";
import { Notice } from "../../components/notice";
import { SegmentedLinks } from "../../components/segmented_links";
import { count, fullMoment } from "../../format";
import { usePolling } from "../../hooks/polling";
import { isLive, selectionOf, selectionParameters } from "../../navigation/selection";
import { Chart } from "./chart";
import { type ChartLines, chartLines } from "./chart_lines";
import { unitText, valueText } from "./units";

const PAUSE_MS = 5_000;
const SETTLED_PAUSE_MS = 60_000;
const TABLE_ROWS = 200;

interface Props {
  metric: Metric;
  query: URLSearchParams;
  /** Returns this view's address with the metric as a chart or as a table. */
  pathAs: (form: "chart" | "table") => string;
}

export function MetricPanel({ metric, query, pathAs }: Props) {
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
        <SegmentedLinks
          label="Show the metric as"
          links={[
            { title: "Chart", path: pathAs("chart"), current: !table },
            { title: "Table", path: pathAs("table"), current: table },
          ]}
        />
      </div>
      {metric.description && <p>{metric.description}</p>}
      <p class="sub">
        {[
          metric.service,
          metric.type.replaceAll("_", " "),
          unitText(metric.unit),
          count(metric.points, "point"),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {answer === null && failure === null && (
        <div class="chart waiting" role="status">
          <span class="pulse" aria-hidden="true" /> Loading the points…
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
  // A histogram's rate is that of its count, which the quantiles replace.
  const rate = answer.rate && answer.quantiles === null;
  const text = (value: number | null) => valueText(value, metric.unit, rate);
  if (lines.times.length === 0)
    return (
      <div class="chart waiting">
        <p>No points in this time range.</p>
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
        {point === null ? "Latest" : fullMoment(new Date((lines.times[point] ?? 0) * 1000))}
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
        {rate && "The chart shows the growth of this sum per second. "}
        {answer.quantiles && "Quantiles are estimated from the histogram's buckets. "}
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

/** The latest values, newest first. */
function Table({ lines, title, text }: TableProps) {
  const from = Math.max(0, lines.times.length - TABLE_ROWS);
  const indexes = lines.times.slice(from).map((_, index) => from + index);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be reachable by keyboard
    <section class="metric-table" tabIndex={0} aria-label={`Values of ${title}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">time</th>
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
