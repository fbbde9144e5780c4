/** The layout of the map's boxes and lines, in pixels. */
import { Graph, layout } from "@dagrejs/dagre";
import type { HopMap, MapEdge } from "../../api/types";
import { edgeId, inReadingOrder } from "./labels";

export interface Point {
  x: number;
  y: number;
}

/** The layout of a map; `at` is the centre of a line's label. */
export interface Placed {
  width: number;
  height: number;
  nodes: Map<string, Point>;
  edges: Map<string, { at: Point; line: string; arrow: string }>;
}

export const NODE = { width: 164, height: 54 };
export const LABEL = { width: 124, height: 36 };
/** The number of errors at the upper right corner of a node, with room for "99+". */
export const BADGE = { width: 28, height: 18 };
const MARGIN = 12;
const ARROW_PX = 9;

/**
 * Lay out a map from left to right, or from top to bottom.
 *
 * The result of dagre's heuristics depends on the order of nodes and edges. So the layout is
 * computed for four fixed orders, and the one with the shortest lines is returned.
 */
export function layOutMap(map: HopMap, direction: "LR" | "TB"): Placed {
  const orderedNodes = inReadingOrder(map);
  const nodes = orderedNodes.map(({ node }) => node.id);
  const edges = orderedNodes.flatMap(({ outgoing }) => outgoing);
  const [first, ...others] = [
    [nodes, edges] as const,
    [nodes.toReversed(), edges] as const,
    [nodes, edges.toReversed()] as const,
    [nodes.toReversed(), edges.toReversed()] as const,
  ].map(([nodeIds, hops]) => placedInOrder(nodeIds, hops, direction));
  return others.reduce((best, other) => (other.px < best.px ? other : best), first as Candidate)
    .placed;
}

interface Candidate {
  placed: Placed;
  /** The total length of the lines plus the width of the drawing. */
  px: number;
}

function placedInOrder(nodes: string[], edges: MapEdge[], direction: "LR" | "TB"): Candidate {
  const graph = new Graph({ directed: true, multigraph: true });
  graph.setGraph({
    rankdir: direction,
    nodesep: 28,
    edgesep: 18,
    ranksep: direction === "LR" ? 24 : 22,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node, { ...NODE });
  for (const edge of edges)
    graph.setEdge(
      edge.from,
      edge.to,
      // Edges with more traffic are kept straighter.
      { ...LABEL, labelpos: "c", weight: 1 + Math.round(Math.log10(1 + edge.count)) },
      edgeId(edge),
    );
  layout(graph);
  const boxes = new Map(nodes.map((node) => [node, graph.node(node) as Point]));
  const lines = edges.map((edge) => {
    const at = graph.edge(edge.from, edge.to, edgeId(edge)) as Point & { points: Point[] };
    const box = boxes.get(edge.to);
    return { edge, at, points: edge.from === edge.to && box ? loop(box, at) : at.points };
  });
  // Dagre's size does not include the lines, which may lead around the outermost boxes.
  const { origin, width, height } = extentOf([
    ...[...boxes.values()].flatMap((box) => cornersOf(box, NODE)),
    ...lines.flatMap(({ at, points }) => [...cornersOf(at, LABEL), ...points]),
  ]);
  const moved = ({ x, y }: Point): Point => ({ x: x - origin.x, y: y - origin.y });
  const placed: Placed = { width, height, nodes: new Map(), edges: new Map() };
  for (const [node, box] of boxes) placed.nodes.set(node, moved(box));
  let px = width;
  for (const line of lines) {
    const [at, points] = [moved(line.at), line.points.map(moved)];
    px += lengthOf(points);
    placed.edges.set(edgeId(line.edge), {
      at,
      line: through(points, at),
      arrow: arrowAt(points),
    });
  }
  return { placed, px };
}

function cornersOf({ x, y }: Point, { width, height }: { width: number; height: number }): Point[] {
  return [
    { x: x - width / 2, y: y - height / 2 },
    { x: x + width / 2, y: y + height / 2 },
  ];
}

/** Return the smallest rectangle around points, with a margin. */
function extentOf(points: Point[]): { origin: Point; width: number; height: number } {
  if (points.length === 0) return { origin: { x: 0, y: 0 }, width: 0, height: 0 };
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return {
    origin: { x: left - MARGIN, y: top - MARGIN },
    width: Math.max(...xs) - left + 2 * MARGIN,
    height: Math.max(...ys) - top + 2 * MARGIN,
  };
}

function lengthOf(points: Point[]): number {
  return points.reduce((sum, { x, y }, index) => {
    const before = points[index - 1];
    return before ? sum + Math.hypot(x - before.x, y - before.y) : 0;
  }, 0);
}

/** Return an SVG path from the first point to the last, with rounded corners between. */
export function smooth(points: Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let path = `M${coordinates(first)}`;
  rest.forEach((point, index) => {
    const next = rest[index + 1];
    path += next
      ? `Q${coordinates(point)} ${coordinates(middle(point, next))}`
      : `L${coordinates(point)}`;
  });
  return path;
}

/** Return a smooth path through the label's centre; a corner there is covered by the label. */
function through(points: Point[], label: Point): string {
  const distances = points.map(({ x, y }) => Math.hypot(x - label.x, y - label.y));
  const at = distances.indexOf(Math.min(...distances));
  return smooth(points.slice(0, at + 1)) + smooth(points.slice(at));
}

/** Return the points of an edge from a box to itself, around its label. */
function loop(box: Point, label: Point): Point[] {
  if (Math.abs(label.y - box.y) > Math.abs(label.x - box.x)) {
    const down = Math.sign(label.y - box.y);
    const [bottom, edge] = [box.y + (down * NODE.height) / 2, label.y + (down * LABEL.height) / 2];
    const [left, right] = [box.x - NODE.width / 4, box.x + NODE.width / 4];
    return [
      { x: left, y: bottom },
      { x: left - NODE.width / 4, y: label.y },
      { x: label.x, y: edge },
      { x: right + NODE.width / 4, y: label.y },
      { x: right, y: bottom },
    ];
  }
  const side = box.x + NODE.width / 2;
  const [above, below] = [box.y - NODE.height / 4, box.y + NODE.height / 4];
  const edge = label.x + LABEL.width / 2;
  return [
    { x: side, y: above },
    { x: label.x, y: above - NODE.height / 2 },
    { x: edge, y: box.y },
    { x: label.x, y: below + NODE.height / 2 },
    { x: side, y: below },
  ];
}

/** Return an arrowhead at the last point, in the direction of the last segment. */
function arrowAt(points: Point[]): string {
  const tip = points.at(-1);
  const before = points.at(-2);
  if (tip === undefined || before === undefined) return "";
  const length = Math.hypot(tip.x - before.x, tip.y - before.y) || 1;
  const along = { x: (tip.x - before.x) / length, y: (tip.y - before.y) / length };
  const foot = { x: tip.x - along.x * ARROW_PX, y: tip.y - along.y * ARROW_PX };
  const half = ARROW_PX / 2;
  const left = { x: foot.x - along.y * half, y: foot.y + along.x * half };
  const right = { x: foot.x + along.y * half, y: foot.y - along.x * half };
  return `M${coordinates(left)}L${coordinates(tip)}L${coordinates(right)}Z`;
}

function middle(one: Point, other: Point): Point {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

function coordinates({ x, y }: Point): string {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}
