/** Which stretch of time is shown, and whether it moves on. */
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
              {RANGES.map((offered) => (
                <button
                  key={rangeText(offered)}
                  type="button"
                  aria-pressed={rangeText(offered) === rangeText(range)}
                  onClick={() => {
                    select({ range: offered });
                    close();
                  }}
                >
                  {rangeText(offered)}
                </button>
              ))}
            </div>
            <Custom range={range} close={close} />
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
            ? "New traces appear by themselves. Click to hold still."
            : "Held still. Click to go live."
        }
      >
        <span class={live ? "pulse" : "held"} aria-hidden="true" />
        {live ? "Live" : "Paused"}
      </button>
    </div>
  );
}

function Custom({ range, close }: { range: Range; close: () => void }) {
  const shown = paused(range, Date.now());
  const [from, setFrom] = useState(
    shown.kind === "between" && shown.from !== null ? fieldText(shown.from) : "",
  );
  const [to, setTo] = useState(
    shown.kind === "between" && shown.to !== null ? fieldText(shown.to) : "",
  );
  const [wrong, setWrong] = useState("");
  return (
    <form
      class="custom"
      onSubmit={(event) => {
        event.preventDefault();
        const between = { from: fieldMoment(from), to: fieldMoment(to) };
        if (between.from === null && between.to === null) setWrong("Say when it begins, or ends.");
        else if (between.from !== null && between.to !== null && between.from >= between.to)
          setWrong("It has to begin before it ends.");
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
      {wrong !== "" && (
        <p class="bad" role="alert">
          {wrong}
        </p>
      )}
      <button type="submit">Show this time</button>
    </form>
  );
}
