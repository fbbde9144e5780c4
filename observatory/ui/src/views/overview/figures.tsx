/** Key figures of the selected traces. */
import "./figures.css";
import type { ComponentChildren } from "preact";
import type { Heatmap } from "../../api/types";
import { count, durationText, percent } from "../../format";

interface Props {
  heatmap: Heatmap | null;
  onFilter: (filter: string) => void;
}

export function Figures({ heatmap, onFilter }: Props) {
  const { total, errors, orphans, coverage } = heatmap ?? NO_FIGURES;
  const filterButton = (filter: string, text: string, title: string) => (
    <button type="button" class="as-link bad" title={title} onClick={() => onFilter(filter)}>
      {text}
    </button>
  );
  return (
    <dl class="panel figures" aria-label="Figures">
      <Figure name="traces">{heatmap ? total.toLocaleString("en") : "–"}</Figure>
      <Figure name="with errors">
        {heatmap && errors > 0
          ? filterButton(
              "error = true",
              percent(errors / total),
              `Show the ${count(errors, "trace")} with errors`,
            )
          : heatmap && total > 0
            ? "0 %"
            : "–"}
      </Figure>
      <Figure name="p50" kind="time" title="Half of the traces were faster">
        {time(heatmap?.p50_ms)}
      </Figure>
      <Figure name="p95" kind="time" title="95 of 100 traces were faster">
        {time(heatmap?.p95_ms)}
      </Figure>
      <Figure name="p99" kind="time" title="99 of 100 traces were faster">
        {time(heatmap?.p99_ms)}
      </Figure>
      <Figure
        name="context coverage"
        title="Share of spans with a path of stored parents to a root"
      >
        {coverage === null
          ? "–"
          : coverage === 1
            ? percent(coverage)
            : filterButton(
                "uncovered > 0",
                percent(coverage),
                "Show the traces that lost the context",
              )}
      </Figure>
      <Figure name="orphans" title="Spans whose parent is not stored">
        {heatmap && orphans > 0
          ? filterButton(
              "orphans > 0",
              orphans.toLocaleString("en"),
              "Show the traces that have orphans",
            )
          : heatmap
            ? "0"
            : "–"}
      </Figure>
    </dl>
  );
}

const NO_FIGURES = { total: 0, errors: 0, orphans: 0, coverage: null };

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
