/** The selected traces in a few numbers. */
import "./figures.css";
import type { ComponentChildren } from "preact";
import type { Heatmap } from "../../api/types";
import { durationText, percent } from "../../format";

interface Props {
  heatmap: Heatmap | null;
  onFilter: (filter: string) => void;
}

export function Figures({ heatmap, onFilter }: Props) {
  const { total, errors, orders, orphans, coverage } = heatmap ?? NOTHING;
  const only = (filter: string, text: string, says: string) => (
    <button type="button" class="as-link bad" title={says} onClick={() => onFilter(filter)}>
      {text}
    </button>
  );
  return (
    <dl class="panel figures" aria-label="Figures">
      <Figure name={orders === total && total > 0 ? "orders" : "traces"}>
        {heatmap ? total.toLocaleString("en") : "–"}
      </Figure>
      <Figure name="with errors">
        {heatmap && errors > 0
          ? only("error = true", percent(errors / total), `Show the ${errors} with errors`)
          : heatmap && total > 0
            ? "0 %"
            : "–"}
      </Figure>
      <Figure name="p50" kind="time" title="Half of the traces were quicker">
        {time(heatmap?.p50_ms)}
      </Figure>
      <Figure name="p95" kind="time" title="95 of 100 traces were quicker">
        {time(heatmap?.p95_ms)}
      </Figure>
      <Figure name="p99" kind="time" title="99 of 100 traces were quicker">
        {time(heatmap?.p99_ms)}
      </Figure>
      <Figure
        name="context coverage"
        title="Spans whose parents, all stored, lead to a declared root"
      >
        {coverage === null
          ? "–"
          : coverage === 1
            ? percent(coverage)
            : only("uncovered > 0", percent(coverage), "Show the traces that lost the context")}
      </Figure>
      <Figure name="orphans" title="Spans whose parent is named but not stored">
        {heatmap && orphans > 0
          ? only("orphans > 0", orphans.toLocaleString("en"), "Show the traces that have orphans")
          : heatmap
            ? "0"
            : "–"}
      </Figure>
    </dl>
  );
}

const NOTHING = { total: 0, errors: 0, orders: 0, orphans: 0, coverage: null };

function time(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? "–" : durationText(ms);
}

interface FigureProps {
  name: string;
  title?: string;
  kind?: "time";
  children: ComponentChildren;
}

function Figure({ name, title, kind, children }: FigureProps) {
  return (
    <div class={kind} title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
