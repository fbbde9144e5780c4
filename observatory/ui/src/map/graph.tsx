/** The map as a drawing. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { HopMap, MapEdge, MapNode } from "../api/map";
import { count } from "../wording";
import { LABEL, layOut, NODE, type Placed, type Point } from "./layout";
import {
  clipped,
  edgeId,
  figure,
  hopText,
  inReadingOrder,
  nameOf,
  rateText,
  spokenEdge,
  spokenNode,
  troubleOf,
  UNKNOWN,
} from "./reading";

const NODE_CHARACTERS = 16;
const HOP_CHARACTERS = 11;
const CHARACTER_PX = 6.9;
// What fits from left to right at this scale is drawn so.
const SCALE_WIDE = 0.85;
// Text stays readable down to this; what is wider than that scrolls.
const SCALE_MIN = 0.75;

export type Chosen = { node: string } | { edge: string } | null;

interface Props {
  map: HopMap;
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
}

export function Graph({ map, chosen, onChoose }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const shape = JSON.stringify([map.nodes.map((node) => node.id), map.edges.map(edgeId)]);
  // Figures change every few seconds, the shape seldom: nothing moves unless something was added.
  const placed = useMemo(() => (width ? fitting(map, width) : null), [shape, width]);
  useEffect(() => {
    if (place.current === null || placed === null || width === null) return;
    const start = placed.nodes.get(inReadingOrder(map)[0]?.node.id ?? "");
    place.current.scrollLeft = (start?.x ?? 0) - width / 2;
  }, [placed]);
  return (
    <div class="map-drawing" ref={place}>
      {placed && width && <Drawing {...{ map, chosen, onChoose, placed, width }} />}
    </div>
  );
}

/** Left to right where that fits, else top to bottom. */
function fitting(map: HopMap, width: number): Placed {
  const wide = layOut(map, "LR");
  return wide.width * SCALE_WIDE <= width ? wide : layOut(map, "TB");
}

function useWidth(place: { current: HTMLElement | null }): number | null {
  const [width, setWidth] = useState<number | null>(null);
  useEffect(() => {
    if (place.current === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width));
    });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [place]);
  return width;
}

type DrawingProps = Props & { placed: Placed; width: number };

function Drawing(props: DrawingProps) {
  const { map, chosen, onChoose, placed } = props;
  const scale = Math.min(1, Math.max(SCALE_MIN, props.width / placed.width));
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
      <Pressable said={spokenNode(node)} size={NODE} round={8} {...{ chosen, onChoose }} />
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
        said={spokenEdge(edge)}
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
