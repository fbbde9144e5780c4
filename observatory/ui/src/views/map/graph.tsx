/** The map as a drawing. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { HopMap, MapEdge, MapNode } from "../../api/types";
import { count } from "../../format";
import {
  clipped,
  edgeId,
  figure,
  hopText,
  inReadingOrder,
  nameOf,
  rateText,
  edgeAccessibleName,
  nodeAccessibleName,
  troubleOf,
  UNKNOWN,
} from "./labels";
import { LABEL, layOutMap, NODE, type Placed, type Point } from "./layout";

const NODE_CHARACTERS = 16;
const HOP_CHARACTERS = 11;
const CHARACTER_PX = 6.9;
// What fits from left to right at this scale is drawn so.
const SCALE_WIDE = 0.85;
// Text stays readable down to this; what is wider than that scrolls.
const SCALE_MIN = 0.75;
// As the style sheet has it.
const SHEET_WIDTH = 1080;

export type Chosen = { node: string } | { edge: string } | null;

interface Props {
  map: HopMap;
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
}

export function Graph({ map, chosen, onChoose }: Props) {
  const container = useRef<HTMLDivElement>(null);
  const { whole: width, shown } = useWidths(container);
  const shape = JSON.stringify([map.nodes.map((node) => node.id), map.edges.map(edgeId)]);
  // Figures change every few seconds, the shape seldom: nothing moves unless something was added.
  const placed = useMemo(() => (width ? fitting(map, width) : null), [shape, width]);
  const scale = placed && width ? Math.min(1, Math.max(SCALE_MIN, width / placed.width)) : 1;
  const scrolls = placed !== null && placed.width * scale > shown + 1;
  useLayoutEffect(() => {
    const start = placed?.nodes.get(inReadingOrder(map)[0]?.node.id ?? "");
    if (container.current && start) container.current.scrollLeft = start.x * scale - shown / 2;
  }, [placed]);
  const at = placed && middleOf(chosen, placed);
  useLayoutEffect(() => {
    // The details take some of the room; what one has chosen stays in it.
    if (container.current === null || !at) return;
    const { scrollLeft, clientWidth } = container.current;
    const [left, right] = [(at.x - NODE.width) * scale, (at.x + NODE.width) * scale];
    if (left < scrollLeft) container.current.scrollLeft = left;
    else if (right > scrollLeft + clientWidth) container.current.scrollLeft = right - clientWidth;
    // On a narrow page the details are a sheet over its lower half, with so much space below.
    const y = container.current.getBoundingClientRect().top + at.y * scale;
    if (innerWidth <= SHEET_WIDTH && y > innerHeight / 2 - NODE.height)
      scrollBy(0, y - innerHeight / 4);
  }, [at?.x, scale, shown]);
  return (
    <>
      <section
        class="map-drawing"
        ref={container}
        aria-label="Drawing"
        // The keyboard has to be able to scroll it.
        tabIndex={scrolls ? 0 : undefined}
      >
        {placed && width && <Drawing {...{ map, chosen, onChoose, placed, scale }} />}
      </section>
      <p class="map-more" hidden={!scrolls}>
        There is more beside: scroll the map, or show it as a table.
      </p>
    </>
  );
}

/** Left to right where that fits, else whichever way is narrower. */
function fitting(map: HopMap, width: number): Placed {
  const wide = layOutMap(map, "LR");
  if (wide.width * SCALE_WIDE <= width) return wide;
  const high = layOutMap(map, "TB");
  return high.width < wide.width ? high : wide;
}

function middleOf(chosen: Chosen, placed: Placed): Point | undefined {
  if (chosen === null) return undefined;
  return "node" in chosen ? placed.nodes.get(chosen.node) : placed.edges.get(chosen.edge)?.at;
}

/** How wide the drawing can be as a whole, and how much of that there is beside the details. */
function useWidths(container: { current: HTMLElement | null }): { whole: number; shown: number } {
  const [widths, setWidths] = useState({ whole: 0, shown: 0 });
  useLayoutEffect(() => {
    const [drawing, body] = [container.current, container.current?.closest(".map-body")];
    if (!drawing || !body) return;
    const measure = () => {
      const edges = drawing.parentElement
        ? drawing.parentElement.offsetWidth - drawing.offsetWidth
        : 0;
      setWidths({ whole: body.clientWidth - edges, shown: drawing.clientWidth });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(drawing);
    observer.observe(body);
    return () => observer.disconnect();
  }, [container]);
  return widths;
}

type DrawingProps = Props & { placed: Placed; scale: number };

function Drawing(props: DrawingProps) {
  const { map, chosen, onChoose, placed, scale } = props;
  const most = Math.max(1, ...map.edges.map((edge) => edge.count));
  const reading = inReadingOrder(map);
  const isNode = (id: string) => chosen !== null && "node" in chosen && chosen.node === id;
  const isEdge = (id: string) => chosen !== null && "edge" in chosen && chosen.edge === id;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing is no fieldset
    <svg
      width={placed.width * scale}
      height={placed.height * scale}
      viewBox={`0 0 ${placed.width} ${placed.height}`}
      role="group"
      aria-label="Services, and the hops between them"
    >
      <g>
        {map.edges.map((edge) => {
          const id = edgeId(edge);
          const at = placed.edges.get(id);
          return at && <Line key={id} {...{ edge, most, ...at }} chosen={isEdge(id)} />;
        })}
      </g>
      {reading.map(({ node, leaving }) => (
        <g key={node.id}>
          <NodeBox
            node={node}
            at={placed.nodes.get(node.id)}
            chosen={isNode(node.id)}
            onChoose={() => onChoose(isNode(node.id) ? null : { node: node.id })}
          />
          {leaving.map((edge) => {
            const id = edgeId(edge);
            return (
              <EdgeLabel
                key={id}
                edge={edge}
                at={placed.edges.get(id)?.at}
                chosen={isEdge(id)}
                onChoose={() => onChoose(isEdge(id) ? null : { edge: id })}
              />
            );
          })}
        </g>
      ))}
    </svg>
  );
}

interface LineProps {
  edge: MapEdge;
  most: number;
  line: string;
  arrow: string;
  chosen: boolean;
}

/** Wider the more often, on a log scale. */
function Line({ edge, most, line, arrow, chosen }: LineProps) {
  const width = 1.5 + 2.5 * (Math.log1p(edge.count) / Math.log1p(most));
  return (
    <g class={`hop-line ${edge.broken ? "broken" : ""} ${chosen ? "chosen" : ""}`}>
      <path d={line} stroke-width={width.toFixed(2)} />
      <path class="arrow" d={arrow} />
    </g>
  );
}

interface PieceProps {
  at: Point | undefined;
  chosen: boolean;
  onChoose: () => void;
}

interface PressableProps {
  said: string;
  size: { width: number; height: number };
  round: number;
  chosen: boolean;
  onChoose: () => void;
}

/** The part of a box that is a button. What is written over it is drawn apart and not said again. */
function Pressable({ said, size, round, chosen, onChoose }: PressableProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: an SVG holds no button
    <rect
      class="box"
      width={size.width}
      height={size.height}
      rx={round}
      role="button"
      tabindex={0}
      aria-pressed={chosen}
      aria-label={said}
      onClick={onChoose}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        onChoose();
      }}
    >
      <title>{said}</title>
    </rect>
  );
}

function NodeBox({ node, at, chosen, onChoose }: PieceProps & { node: MapNode }) {
  if (at === undefined) return null;
  const { width, height } = NODE;
  return (
    <g
      class={`map-node ${node.id === UNKNOWN ? "unknown" : node.party}`}
      transform={`translate(${at.x - width / 2} ${at.y - height / 2})`}
    >
      <Pressable said={nodeAccessibleName(node)} size={NODE} round={8} {...{ chosen, onChoose }} />
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus */}
      <g class="drawn" aria-hidden="true">
        <rect class="party-bar" x="8" y="10" width="4" height={height - 20} rx="2" />
        <text class="service" x="20" y="23">
          {clipped(nameOf(node.id, node.service), NODE_CHARACTERS)}
        </text>
        <text class="figures" x="20" y="41">
          {node.id === UNKNOWN
            ? "whoever sent it"
            : `${figure(node.p50_ms)} · p95 ${figure(node.p95_ms)}`}
        </text>
        {node.errors > 0 && (
          <g class="errors">
            <circle cx={width - 2} cy="2" r="9" />
            <text x={width - 2} y="6">
              {node.errors > 99 ? "99+" : node.errors}
            </text>
          </g>
        )}
      </g>
    </g>
  );
}

function EdgeLabel({ edge, at, chosen, onChoose }: PieceProps & { edge: MapEdge }) {
  if (at === undefined) return null;
  const rate = rateText(edge.per_minute);
  const hop = clipped(hopText(edge), HOP_CHARACTERS);
  const trouble = troubleOf(edge);
  const below = trouble
    ? `⚠ ${trouble}`
    : edge.errors > 0
      ? count(edge.errors, "error")
      : `p95 ${figure(edge.p95_ms)}`;
  // No wider than its text, so that the line is hidden no further than it has to be.
  const longest = Math.max(hop.length + 1 + rate.length, below.length);
  const width = Math.min(LABEL.width, 14 + CHARACTER_PX * longest);
  const { height } = LABEL;
  return (
    <g
      class={`map-edge ${edge.broken ? "broken" : ""}`}
      transform={`translate(${at.x - width / 2} ${at.y - height / 2})`}
    >
      <Pressable
        said={edgeAccessibleName(edge)}
        size={{ width, height }}
        round={6}
        {...{ chosen, onChoose }}
      />
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus */}
      <g class="drawn" aria-hidden="true">
        <text x={width / 2} y="15">
          <tspan class="hop">{hop}</tspan> {rate}
        </text>
        <text class="figures" x={width / 2} y="30">
          <tspan class={edge.broken || edge.errors > 0 ? "bad" : ""}>{below}</tspan>
        </text>
      </g>
    </g>
  );
}
