/** The map drawn as a graph. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { HopMap, MapEdge, MapNode } from "../../api/types";
import { count } from "../../format";
import {
  breakageText,
  clipped,
  edgeAccessibleName,
  edgeId,
  figure,
  hopText,
  inReadingOrder,
  nameOf,
  nodeAccessibleName,
  rateText,
  UNKNOWN,
} from "./labels";
import { BADGE, LABEL, layOutMap, NODE, type Placed, type Point } from "./layout";

const NODE_CHARACTERS = 16;
const HOP_CHARACTERS = 11;
const CHARACTER_PX = 6.9;
// The map is drawn from left to right if it fits at this scale.
const SCALE_WIDE = 0.85;
// The smallest scale at which text is readable; wider maps scroll.
const SCALE_MIN = 0.75;
// Matches the media query in map.css.
const SHEET_WIDTH = 1080;

export type Selected = { node: string } | { edge: string } | null;

interface Props {
  map: HopMap;
  selected: Selected;
  onSelect: (selected: Selected) => void;
}

export function Graph({ map, selected, onSelect }: Props) {
  const container = useRef<HTMLDivElement>(null);
  const { whole: width, shown } = useWidths(container);
  const topology = JSON.stringify([map.nodes.map((node) => node.id), map.edges.map(edgeId)]);
  // Figures change every few seconds, but boxes move only if nodes or edges are added or removed.
  const placed = useMemo(() => (width ? fitting(map, width) : null), [topology, width]);
  const scale = placed && width ? Math.min(1, Math.max(SCALE_MIN, width / placed.width)) : 1;
  const scrolls = placed !== null && placed.width * scale > shown + 1;
  useLayoutEffect(() => {
    const start = placed?.nodes.get(inReadingOrder(map)[0]?.node.id ?? "");
    if (container.current && start) container.current.scrollLeft = start.x * scale - shown / 2;
  }, [placed]);
  const at = placed && centreOf(selected, placed);
  useLayoutEffect(() => {
    // The details panel narrows the drawing; keep the selected node or edge visible.
    if (container.current === null || !at) return;
    const { scrollLeft, clientWidth } = container.current;
    const [left, right] = [(at.x - NODE.width) * scale, (at.x + NODE.width) * scale];
    if (left < scrollLeft) container.current.scrollLeft = left;
    else if (right > scrollLeft + clientWidth) container.current.scrollLeft = right - clientWidth;
    // On a narrow page the details cover the lower half.
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
        // Lets the keyboard scroll the drawing.
        tabIndex={scrolls ? 0 : undefined}
      >
        {placed && width && <Drawing {...{ map, selected, onSelect, placed, scale }} />}
      </section>
      <p class="map-more" hidden={!scrolls}>
        The map is wider than the page: scroll it, or show it as a table.
      </p>
    </>
  );
}

/** Lay out the map from left to right if that fits the width, else in the narrower direction. */
function fitting(map: HopMap, width: number): Placed {
  const horizontal = layOutMap(map, "LR");
  if (horizontal.width * SCALE_WIDE <= width) return horizontal;
  const vertical = layOutMap(map, "TB");
  return vertical.width < horizontal.width ? vertical : horizontal;
}

function centreOf(selected: Selected, placed: Placed): Point | undefined {
  if (selected === null) return undefined;
  return "node" in selected ? placed.nodes.get(selected.node) : placed.edges.get(selected.edge)?.at;
}

/** Return the width available to the drawing, and the part of it not covered by the details. */
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
  const { map, selected, onSelect, placed, scale } = props;
  const countMax = Math.max(1, ...map.edges.map((edge) => edge.count));
  const orderedNodes = inReadingOrder(map);
  const isNode = (id: string) => selected !== null && "node" in selected && selected.node === id;
  const isEdge = (id: string) => selected !== null && "edge" in selected && selected.edge === id;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing is not a fieldset
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
          return at && <Line key={id} {...{ edge, countMax, ...at }} selected={isEdge(id)} />;
        })}
      </g>
      {orderedNodes.map(({ node, outgoing }) => (
        <g key={node.id}>
          <NodeBox
            node={node}
            at={placed.nodes.get(node.id)}
            selected={isNode(node.id)}
            onSelect={() => onSelect(isNode(node.id) ? null : { node: node.id })}
          />
          {outgoing.map((edge) => {
            const id = edgeId(edge);
            return (
              <EdgeLabel
                key={id}
                edge={edge}
                at={placed.edges.get(id)?.at}
                selected={isEdge(id)}
                onSelect={() => onSelect(isEdge(id) ? null : { edge: id })}
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
  countMax: number;
  line: string;
  arrow: string;
  selected: boolean;
}

/** A hop's line; its width grows with the logarithm of the count. */
function Line({ edge, countMax, line, arrow, selected }: LineProps) {
  const width = 1.5 + 2.5 * (Math.log1p(edge.count) / Math.log1p(countMax));
  return (
    <g class={`hop-line ${edge.broken ? "broken" : ""} ${selected ? "selected" : ""}`}>
      <path d={line} stroke-width={width.toFixed(2)} />
      <path class="arrow" d={arrow} />
    </g>
  );
}

interface ElementProps {
  at: Point | undefined;
  selected: boolean;
  onSelect: () => void;
}

interface BoxButtonProps {
  label: string;
  size: { width: number; height: number };
  round: number;
  selected: boolean;
  onSelect: () => void;
}

/** The clickable box of a node or label; assistive technology reads its label, not the text over it. */
function BoxButton({ label, size, round, selected, onSelect }: BoxButtonProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: SVG has no button element
    <rect
      class="box"
      width={size.width}
      height={size.height}
      rx={round}
      role="button"
      tabindex={0}
      aria-pressed={selected}
      aria-label={label}
      onClick={onSelect}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        onSelect();
      }}
    >
      <title>{label}</title>
    </rect>
  );
}

function NodeBox({ node, at, selected, onSelect }: ElementProps & { node: MapNode }) {
  if (at === undefined) return null;
  const { width, height } = NODE;
  return (
    <g
      class={`map-node ${node.id === UNKNOWN ? "unknown" : node.party}`}
      transform={`translate(${at.x - width / 2} ${at.y - height / 2})`}
    >
      <BoxButton
        label={nodeAccessibleName(node)}
        size={NODE}
        round={8}
        {...{ selected, onSelect }}
      />
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it can be focused */}
      <g class="drawn" aria-hidden="true">
        <rect class="party-bar" x="8" y="10" width="4" height={height - 20} rx="2" />
        <text class="service" x="20" y="23">
          {clipped(nameOf(node.id, node.service), NODE_CHARACTERS)}
        </text>
        <text class="figures" x="20" y="41">
          {node.id === UNKNOWN
            ? "unknown sender"
            : `${figure(node.p50_ms)} · p95 ${figure(node.p95_ms)}`}
        </text>
        {node.errors > 0 && (
          <g class="errors">
            <rect
              x={width - 2 - BADGE.width / 2}
              y={2 - BADGE.height / 2}
              width={BADGE.width}
              height={BADGE.height}
              rx={BADGE.height / 2}
            />
            <text x={width - 2} y="6">
              {node.errors > 99 ? "99+" : node.errors}
            </text>
          </g>
        )}
      </g>
    </g>
  );
}

function EdgeLabel({ edge, at, selected, onSelect }: ElementProps & { edge: MapEdge }) {
  if (at === undefined) return null;
  const rate = rateText(edge.per_minute);
  const hop = clipped(hopText(edge), HOP_CHARACTERS);
  const breakage = breakageText(edge);
  const below = breakage
    ? `⚠ ${breakage}`
    : edge.errors > 0
      ? count(edge.errors, "error")
      : `p95 ${figure(edge.p95_ms)}`;
  // No wider than its text, to hide as little of the line as possible.
  const longest = Math.max(hop.length + 1 + rate.length, below.length);
  const width = Math.min(LABEL.width, 14 + CHARACTER_PX * longest);
  const { height } = LABEL;
  return (
    <g
      class={`map-edge ${edge.broken ? "broken" : ""}`}
      transform={`translate(${at.x - width / 2} ${at.y - height / 2})`}
    >
      <BoxButton
        label={edgeAccessibleName(edge)}
        size={{ width, height }}
        round={6}
        {...{ selected, onSelect }}
      />
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it can be focused */}
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
