/** Asks what stands out, or, before there is anything to ask, says how. */
import type { ComponentChildren } from "preact";
import { fetchComparison } from "../../api/requests";
import type { Heatmap } from "../../api/types";
import { count, durationText } from "../../format";
import { usePolling } from "../../hooks/polling";
import { isLive, type Selection, selectionParameters } from "../../navigation/selection";
import { ComparisonResult } from "./comparison";
import { type Subset, subsetParameters } from "./subset";

const LIVE_PAUSE_MS = 3_000;
const HELD_PAUSE_MS = 15_000;

interface Props {
  selection: Selection;
  subset: Subset | null;
  heatmap: Heatmap;
  onFilter: (filter: string) => void;
  onCompare: (subset: Subset | null) => void;
  /** Compare what the filter shows with all the rest. */
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
      {subset ? <Compared {...props} subset={subset} /> : <Starts {...props} />}
    </section>
  );
}

function Compared({ selection, subset, onFilter }: Props & { subset: Subset }) {
  const asked = selectionParameters(selection);
  const part = subsetParameters(subset);
  const live = isLive(selection.range);
  const { answer, failure } = usePolling(
    `${asked} ${part}`,
    (signal) => fetchComparison(asked, part, signal),
    () => (live ? LIVE_PAUSE_MS : HELD_PAUSE_MS),
    true,
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
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

function Starts({ selection, heatmap, onCompare, onCompareFilter }: Props) {
  const { p95_ms, errors, coverage } = heatmap;
  const compare = (filter: string) => () => onCompare({ kind: "filter", filter });
  return (
    <>
      <p class="sub">
        Drag a box around some traces in the heatmap. Here you then see what sets them apart from
        the rest, in any attribute of any of their spans. Or compare one of these with the rest:
      </p>
      <div class="starts">
        {selection.q !== "" && (
          <Start title="This filter" onClick={onCompareFilter}>
            against all traces that don't fit it
          </Start>
        )}
        {p95_ms !== null && (
          <Start title="The slowest 5 %" onClick={compare(`duration >= ${Math.floor(p95_ms)} ms`)}>
            those that took {durationText(p95_ms)} or longer
          </Start>
        )}
        {errors > 0 && (
          <Start title="Those with errors" onClick={compare("error = true")}>
            {count(errors, "trace")} in which a span failed
          </Start>
        )}
        {coverage !== null && coverage < 1 && (
          <Start title="Those that lost the context" onClick={compare("uncovered > 0")}>
            traces with a span that leads to no root
          </Start>
        )}
      </div>
    </>
  );
}

interface StartProps {
  title: string;
  children: ComponentChildren;
  onClick: () => void;
}

function Start({ title, children, onClick }: StartProps) {
  return (
    <button type="button" onClick={onClick}>
      <b>{title}</b>
      <span>{children}</span>
    </button>
  );
}
