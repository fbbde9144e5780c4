/** Choosing the time range, and pausing or resuming live updates. */
import "./range_picker.css";
import { useState } from "preact/hooks";
import { Popover } from "../components/popover";
import { useShortcuts } from "../hooks/shortcuts";
import { fieldMoment, fieldText, RANGES, rangeText } from "../navigation/range_text";
import { isLive, paused, type Range, resumed, select } from "../navigation/selection";

export function RangePicker({ range }: { range: Range }) {
  const live = isLive(range);
  const toggle = () => select({ range: live ? paused(range, Date.now()) : resumed(range) });
  useShortcuts({ p: toggle });
  return (
    <div class="range">
      <Popover label={rangeText(range)} title="Time range">
        {(close) => (
          <>
            <div class="ranges">
              {RANGES.map((option) => (
                <button
                  key={rangeText(option)}
                  type="button"
                  aria-pressed={rangeText(option) === rangeText(range)}
                  onClick={() => {
                    select({ range: option });
                    close();
                  }}
                >
                  {rangeText(option)}
                </button>
              ))}
            </div>
            <CustomRange range={range} close={close} />
          </>
        )}
      </Popover>
      <button
        type="button"
        class="live"
        aria-pressed={live}
        onClick={toggle}
        title={
          live
            ? "New traces appear as they arrive. Click to pause."
            : "Paused. Click to show new traces as they arrive."
        }
      >
        <span class={live ? "pulse" : "paused"} aria-hidden="true" />
        {live ? "Live" : "Paused"}
      </button>
    </div>
  );
}

function CustomRange({ range, close }: { range: Range; close: () => void }) {
  const shown = paused(range, Date.now());
  const [from, setFrom] = useState(
    shown.kind === "between" && shown.from !== null ? fieldText(shown.from) : "",
  );
  const [to, setTo] = useState(
    shown.kind === "between" && shown.to !== null ? fieldText(shown.to) : "",
  );
  const [error, setError] = useState("");
  return (
    <form
      class="custom"
      onSubmit={(event) => {
        event.preventDefault();
        const between = { from: fieldMoment(from), to: fieldMoment(to) };
        if (between.from === null && between.to === null) setError("Enter a start or an end.");
        else if (between.from !== null && between.to !== null && between.from >= between.to)
          setError("The start must be before the end.");
        else {
          select({ range: { kind: "between", ...between } });
          close();
        }
      }}
    >
      <label>
        From
        <input
          type="datetime-local"
          step="1"
          value={from}
          onInput={(event) => setFrom(event.currentTarget.value)}
        />
      </label>
      <label>
        To
        <input
          type="datetime-local"
          step="1"
          value={to}
          onInput={(event) => setTo(event.currentTarget.value)}
        />
      </label>
      {error !== "" && (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
      <button type="submit">Show this range</button>
    </form>
  );
}
