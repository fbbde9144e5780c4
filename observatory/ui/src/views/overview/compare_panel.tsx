/** The panel "What stands out": the comparison, or suggestions for one. */
import type { ComponentChildren } from "preact";
import { fetchComparison } from "../../api/requests";
import type { Heatmap } from "../../api/types";
import { count, durationText } from "../../format";
import { usePolling } from "../../hooks/polling";
import { isLive, type Selection, selectionParameters } from "../../navigation/selection";
import { ComparisonResult } from "./comparison";
import { type Subset, subsetParameters } from "./subset";

const LIVE_PAUSE_MS = 3_000;
const PAUSED_PAUSE_MS = 15_000;

interface Props {
  selection: Selection;
  subset: Subset | null;
  heatmap: Heatmap;
  onFilter: (filter: string) => void;
  onCompare: (subset: Subset | null) => void;
  /** Compare the traces that match the filter with all others. */
  onCompareFilter: () => void;
  onZoom: (subset: Subset) => void;
}

export function ComparePanel(props: Props) {
  const { subset, onCompare, onZoom } = props;
  return (
    <section class="panel stands-out" aria-labelledby="stands-out-title">
      <header>
        <h2 id="stands-out-title">What stands out</h2>
        {subset && (
          <span class="actions">
            <button type="button" class="as-link" onClick={() => onZoom(subset)}>
              Show only these
            </button>
            <button type="button" class="as-link" onClick={() => onCompare(null)}>
              Clear
            </button>
          </span>
        )}
      </header>
      {subset ? <ComparisonLoader {...props} subset={subset} /> : <Suggestions {...props} />}
    </section>
  );
}

function ComparisonLoader({ selection, subset, onFilter }: Props & { subset: Subset }) {
  const selected = selectionParameters(selection);
  const subsetQuery = subsetParameters(subset);
  const live = isLive(selection.range);
  const { answer, failure } = usePolling(
    `${selected} ${subsetQuery}`,
    (signal) => fetchComparison(selected, subsetQuery, signal),
    () => (live ? LIVE_PAUSE_MS : PAUSED_PAUSE_MS),
    true,
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="Comparison">
      <p class="unseen" role="status">
        {answer && !live && answer.sentence.map(({ text }) => text).join("")}
      </p>
      {failure?.kind === "refused" && (
        <p class="banner bad" role="alert">
          {failure.message}
        </p>
      )}
      {answer === null && failure === null && (
        <p class="sub">
          <span class="pulse" aria-hidden="true" /> Comparing…
        </p>
      )}
      {answer !== null && failure?.kind !== "refused" && (
        <ComparisonResult comparison={answer} subset={subset} onFilter={onFilter} />
      )}
    </section>
  );
}

function Suggestions({ selection, heatmap, onCompare, onCompareFilter }: Props) {
  const { p95_ms, errors, coverage } = heatmap;
  const compare = (filter: string) => () => onCompare({ kind: "filter", filter });
  return (
    <>
      <p class="sub">
        Drag a box around some traces in the heatmap to see which attributes of their spans set them
        apart from the rest. Or start with one of these:
      </p>
      <div class="suggestions">
        {selection.q !== "" && (
          <Suggestion title="This filter" onClick={onCompareFilter}>
            compared with all traces that don't match it
          </Suggestion>
        )}
        {p95_ms !== null && (
          <Suggestion
            title="The slowest 5 %"
            onClick={compare(`duration >= ${Math.floor(p95_ms)} ms`)}
          >
            traces of {durationText(p95_ms)} or longer
          </Suggestion>
        )}
        {errors > 0 && (
          <Suggestion title="Traces with errors" onClick={compare("error = true")}>
            {count(errors, "trace")} with a failed span
          </Suggestion>
        )}
        {coverage !== null && coverage < 1 && (
          <Suggestion title="Traces that lost the context" onClick={compare("uncovered > 0")}>
            traces with a span that has no path of stored parents to a root
          </Suggestion>
        )}
      </div>
    </>
  );
}

interface SuggestionProps {
  title: string;
  children: ComponentChildren;
  onClick: () => void;
}

function Suggestion({ title, children, onClick }: SuggestionProps) {
  return (
    <button type="button" onClick={onClick}>
      <b>{title}</b>
      <span>{children}</span>
    </button>
  );
}
