/** The heatmap as SVG: cells, axes, the box, and the cell under the pointer. */
import type { Heatmap } from "../../api/types";
import { levelOf } from "./heatmap_levels";
import {
  type Cell,
  type Cells,
  cellsBetween,
  columnsOf,
  durationTicks,
  timeTickAnchor,
  timeTicksIn,
  xOf,
  yOf,
} from "./heatmap_scale";
import type { Box } from "./subset";

/** The margins around the cells in pixels, with room for the axes. */
export const MARGIN = { left: 58, right: 8, top: 6, bottom: 24 };

const DURATION_TICK_PX = 26;
const ERROR_PX = 3;

interface Props {
  heatmap: Heatmap;
  size: { width: number; height: number };
  box: Box | null;
  /** The cells of the box that is being drawn. */
  cells: Cells | null;
  pointed: Cell | null;
}

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function HeatmapDrawing({ heatmap, size, box, cells, pointed }: Props) {
  const inner = {
    width: size.width - MARGIN.left - MARGIN.right,
    height: size.height - MARGIN.top - MARGIN.bottom,
  };
  const cell = {
    width: inner.width / columnsOf(heatmap),
    height: inner.height / Math.max(1, heatmap.rows.length),
  };
  const rectangleOf = ({ left, right, bottom, top }: Cells): Rectangle => ({
    x: left * cell.width,
    y: inner.height - (top + 1) * cell.height,
    width: (right - left + 1) * cell.width,
    height: (top - bottom + 1) * cell.height,
  });
  return (
    <svg width={size.width} height={size.height} aria-hidden="true">
      <g transform={`translate(${MARGIN.left} ${MARGIN.top})`}>
        <Axes heatmap={heatmap} {...inner} />
        <HeatmapCells heatmap={heatmap} rectangleOf={rectangleOf} />
        {pointed && !cells && (
          <rect class="pointed" {...rectangleOf(cellsBetween(pointed, pointed))} />
        )}
        {box && !cells && isInView(heatmap, box) && (
          <rect class="box" rx="3" {...boxRectangle(heatmap, box, inner)} />
        )}
        {cells && <rect class="box drawing" rx="3" {...rectangleOf(cells)} />}
      </g>
    </svg>
  );
}

function HeatmapCells({
  heatmap,
  rectangleOf,
}: {
  heatmap: Heatmap;
  rectangleOf: (cells: Cells) => Rectangle;
}) {
  const fullest = Math.max(1, ...heatmap.cells.map(([, , traces]) => traces));
  return (
    <>
      {heatmap.cells.map(([column, row, traces, errors]) => {
        const whole = rectangleOf({ left: column, right: column, bottom: row, top: row });
        const gap = whole.width > 6 ? 1 : 0.5;
        const width = Math.max(1, whole.width - gap);
        const height = Math.max(1, whole.height - gap);
        return (
          <g key={`${column} ${row}`} data-traces={traces} data-errors={errors}>
            <rect
              class={`cell level-${levelOf(traces, fullest)}`}
              x={whole.x}
              y={whole.y}
              width={width}
              height={height}
              rx={Math.min(2, width / 4)}
            />
            {errors > 0 && (
              <rect
                class="failing"
                x={whole.x}
                y={whole.y + height - ERROR_PX}
                width={Math.max(3, (width * errors) / traces)}
                height={ERROR_PX}
              />
            )}
          </g>
        );
      })}
    </>
  );
}

/** Whether the box overlaps the time range, which may have moved on. */
function isInView({ from_ms, to_ms }: Heatmap, { from, to }: Box): boolean {
  return from < to_ms && to > from_ms;
}

function boxRectangle(
  heatmap: Heatmap,
  box: Box,
  { width, height }: { width: number; height: number },
): Rectangle {
  const left = xOf(heatmap, box.from);
  const right = xOf(heatmap, box.to);
  const bottom = box.minMs === null ? 0 : yOf(heatmap, box.minMs);
  const top = box.maxMs === null ? 1 : yOf(heatmap, box.maxMs);
  return {
    x: left * width,
    y: (1 - top) * height,
    width: Math.max(2, (right - left) * width),
    height: Math.max(2, (top - bottom) * height),
  };
}

function Axes({ heatmap, width, height }: { heatmap: Heatmap; width: number; height: number }) {
  return (
    <g class="axes">
      {durationTicks(heatmap, DURATION_TICK_PX / height).map(({ at, text }) => (
        <g key={text} transform={`translate(0 ${height * (1 - at)})`}>
          <path d={`M0 0H${width}`} />
          <text x="-8" dy="0.32em" text-anchor="end">
            {text}
          </text>
        </g>
      ))}
      {timeTicksIn(heatmap, width).map((tick) => (
        <g key={tick.text} transform={`translate(${width * tick.at} ${height})`}>
          <path d="M0 0v5" />
          <text y="18" text-anchor={timeTickAnchor(tick)}>
            {tick.text}
          </text>
        </g>
      ))}
      <path class="floor" d={`M0 ${height}H${width}`} />
    </g>
  );
}
