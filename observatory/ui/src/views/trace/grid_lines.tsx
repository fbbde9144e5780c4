/** Vertical lines at the ticks, drawn once behind all rows. */
import { type Range, shareOf } from "./time_scale";

export function GridLines({ range, ticks }: { range: Range; ticks: readonly number[] }) {
  return (
    <div class="row-grid grid-lines" aria-hidden="true">
      <span class="bars-cell">
        {range.to > range.from &&
          ticks.map((tick) => (
            <span key={tick} style={{ left: `${shareOf(range, tick) * 100}%` }} />
          ))}
      </span>
    </div>
  );
}
