/** The toolbar of the waterfall: find, errors, log lines, collapse, zoom. */
import "./toolbar.css";
import type { RefObject } from "preact";
import { count, durationText } from "../../format";
import type { Range } from "./time_scale";

interface Props {
  find: string;
  /** The number of matches. */
  matches: number;
  /** Which match is selected, from 1; 0 for none. */
  matchAt: number;
  errors: number;
  /** Whether all legs are collapsed; null if no leg can be. */
  folded: boolean | null;
  /** Whether log lines and events are shown; null if the trace has none. */
  lines: boolean | null;
  range: Range | null;
  container: RefObject<HTMLInputElement | null>;
  onFind: (text: string) => void;
  onMatch: (step: 1 | -1) => void;
  onLeave: () => void;
  onError: (step: 1 | -1) => void;
  onFold: () => void;
  onLines: () => void;
  onZoom: (how: "in" | "out" | "reset") => void;
}

export function Toolbar(props: Props) {
  const { find, matches, matchAt, errors, folded, lines, range } = props;
  return (
    <div class="toolbar" role="toolbar" aria-label="Waterfall">
      <search class="finder">
        <input
          ref={props.container}
          type="search"
          value={find}
          placeholder="Find in this trace"
          aria-label="Find in this trace"
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => props.onFind(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") props.onMatch(event.shiftKey ? -1 : 1);
            else if (event.key === "Escape" && find !== "") props.onFind("");
            else if (event.key === "Escape" || event.key === "ArrowDown") props.onLeave();
            else return;
            event.preventDefault();
          }}
        />
        <span class="found" role="status">
          {find.trim() === "" ? (
            <kbd>/</kbd>
          ) : matches === 0 ? (
            "no match"
          ) : (
            `${matchAt === 0 ? "" : `${matchAt} of `}${matches.toLocaleString("en")}`
          )}
        </span>
        <Step
          label="Previous match"
          up
          disabled={matches === 0}
          onClick={() => props.onMatch(-1)}
        />
        <Step label="Next match" disabled={matches === 0} onClick={() => props.onMatch(1)} />
      </search>
      {errors > 0 && (
        <span class="group">
          <span class="bad">{count(errors, "error")}</span>
          <Step label="Previous error" up onClick={() => props.onError(-1)} />
          <Step label="Next error" onClick={() => props.onError(1)} />
        </span>
      )}
      <span class="group end">
        {lines !== null && (
          <button type="button" aria-pressed={lines} onClick={props.onLines}>
            Log lines
          </button>
        )}
        {folded !== null && (
          <button type="button" onClick={props.onFold}>
            {folded ? "Expand all" : "Collapse all"}
          </button>
        )}
        <span class="zoom">
          <button
            type="button"
            aria-label="Zoom out"
            disabled={range === null}
            onClick={() => props.onZoom("out")}
          >
            −
          </button>
          <button type="button" aria-label="Zoom in" onClick={() => props.onZoom("in")}>
            +
          </button>
          <button type="button" disabled={range === null} onClick={() => props.onZoom("reset")}>
            {range === null ? "Whole trace" : `${durationText(range.to - range.from)} · reset`}
          </button>
        </span>
      </span>
    </div>
  );
}

interface StepProps {
  label: string;
  up?: boolean;
  disabled?: boolean;
  onClick: () => void;
}

function Step({ label, up = false, disabled = false, onClick }: StepProps) {
  return (
    <button type="button" class="step" aria-label={label} disabled={disabled} onClick={onClick}>
      <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
        <path d={up ? "M1 7l4-4 4 4" : "M1 3l4 4 4-4"} />
      </svg>
    </button>
  );
}
