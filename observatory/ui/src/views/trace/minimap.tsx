/** An overview of all rows; a click scrolls to a row, a drag selects a time range. */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Party } from "../../api/types";
import { resolvedColour, useColourScheme } from "../../hooks/colour_scheme";
import { useVisibleRows } from "../../scrolling/window_rows";
import { Band, useDrag } from "./axis";
import type { Range } from "./time_scale";
import type { Item } from "./waterfall_items";

const HEIGHT_PX = 56;

interface Props {
  items: readonly Item[];
  whole: Range;
  /** The time range that the waterfall shows; null for all of it. */
  range: Range | null;
  /** The element that contains the rows. */
  list: RefObject<HTMLElement | null>;
  rowPx: number;
  onRange: (range: Range) => void;
  onGo: (index: number) => void;
}

export function Minimap({ items, whole, range, list, rowPx, onRange, onGo }: Props) {
  const visible = useVisibleRows(list, items.length, rowPx);
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useColourScheme();
  const [width, setWidth] = useState(0);
  const { dragged, handlers } = useDrag(whole, onRange, (y) =>
    onGo(Math.min(items.length - 1, Math.floor((y / HEIGHT_PX) * items.length))),
  );
  useLayoutEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (canvas.current && width > 0) draw(canvas.current, items, whole);
  }, [items, whole.to, width, scheme]);
  const percent = (index: number) => (items.length > 0 ? (index / items.length) * 100 : 0);
  return (
    <div class="row-grid minimap" aria-hidden="true">
      <span class="picture" {...handlers}>
        <canvas ref={canvas} />
        {visible.end - visible.first < items.length && (
          <span
            class="rows-shown"
            style={{
              top: `${percent(visible.first)}%`,
              height: `${percent(visible.end) - percent(visible.first)}%`,
            }}
          />
        )}
        {(dragged ?? range) && <Band within={whole} range={dragged ?? range ?? whole} />}
      </span>
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, items: readonly Item[], whole: Range): void {
  const scale = devicePixelRatio || 1;
  const width = canvas.clientWidth * scale;
  const height = HEIGHT_PX * scale;
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  if (pen === null || !(whole.to > 0)) return;
  const colours = coloursOf(canvas.parentElement ?? canvas);
  const line = Math.max(scale, height / items.length);
  const stroke = (colour: string, index: number, from: number, to: number) => {
    pen.fillStyle = colour;
    const left = (from / whole.to) * width;
    const length = Math.max(scale, ((to - from) / whole.to) * width);
    pen.fillRect(left, (index / items.length) * height, length, line);
  };
  // Errors are drawn last, so that nothing covers them.
  for (const errors of [false, true])
    items.forEach((item, index) => {
      if (item.kind !== "span" || item.row.error !== errors) return;
      const { row } = item;
      if (row.wait) stroke(colours.waiting, index, row.wait.offset_ms, row.offset_ms);
      const end = Math.max(
        row.offset_ms + row.duration_ms,
        item.folded ? (item.hidden?.to ?? 0) : 0,
      );
      stroke(errors ? colours.bad : colours[row.party], index, row.offset_ms, end);
    });
}

function coloursOf(element: HTMLElement): Record<Party | "waiting" | "bad", string> {
  const colour = (property: string) => resolvedColour(element, property);
  return {
    page: colour("--party-page"),
    rules: colour("--party-rules"),
    function: colour("--party-function"),
    vendor: colour("--party-vendor"),
    service: colour("--party-service"),
    waiting: colour("--waiting"),
    bad: colour("--bad"),
  };
}
