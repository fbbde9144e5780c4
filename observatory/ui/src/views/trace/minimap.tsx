/** The whole trace at a glance: a thin line a row. A click goes there, a drag chooses a time. */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Party } from "../../api/types";
import { useVisible } from "../../scrolling/window_rows";
import { Band, useDrag } from "./axis";
import type { Range } from "./time_scale";
import type { Item } from "./waterfall_items";

const HEIGHT_PX = 56;
const PARTIES: Party[] = ["page", "rules", "function", "vendor"];

interface Props {
  items: readonly Item[];
  whole: Range;
  /** The stretch of time that the waterfall shows. */
  range: Range | null;
  /** Where the rows are, and how high each is. */
  list: RefObject<HTMLElement | null>;
  rowPx: number;
  onRange: (range: Range) => void;
  onGo: (index: number) => void;
}

export function Minimap({ items, whole, range, list, rowPx, onRange, onGo }: Props) {
  const visible = useVisible(list, items.length, rowPx);
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useScheme();
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
        {visible.last - visible.first < items.length && (
          <span
            class="rows-shown"
            style={{
              top: `${percent(visible.first)}%`,
              height: `${percent(visible.last) - percent(visible.first)}%`,
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
  const colours = coloursOf(canvas);
  const line = Math.max(scale, height / items.length);
  const stroke = (colour: string, index: number, from: number, to: number) => {
    pen.fillStyle = colour;
    const left = (from / whole.to) * width;
    const long = Math.max(scale, ((to - from) / whole.to) * width);
    pen.fillRect(left, (index / items.length) * height, long, line);
  };
  // Errors last, so that nothing is drawn over them.
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

/** Colours as the style sheet has them now: a canvas can't read its variables itself. */
function coloursOf(element: HTMLElement): Record<Party | "waiting" | "bad", string> {
  const read = (variable: string) => {
    element.style.color = `var(${variable})`;
    return getComputedStyle(element).color;
  };
  const parties = Object.fromEntries(PARTIES.map((party) => [party, read(`--party-${party}`)]));
  return {
    ...(parties as Record<Party, string>),
    waiting: read("--waiting"),
    bad: read("--bad"),
  };
}

/** Changes when the colours do. */
function useScheme(): string {
  const now = () =>
    `${document.documentElement.dataset.theme} ${matchMedia("(prefers-color-scheme: dark)").matches}`;
  const [scheme, setScheme] = useState(now);
  useLayoutEffect(() => {
    const update = () => setScheme(now());
    const query = matchMedia("(prefers-color-scheme: dark)");
    query.addEventListener("change", update);
    const observer = new MutationObserver(update);
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      query.removeEventListener("change", update);
      observer.disconnect();
    };
  }, []);
  return scheme;
}
