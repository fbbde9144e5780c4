/** How the map is named, ordered and said; nothing here draws. */
import type { HopMap, MapEdge, MapNode } from "../../api/types";
import { count, durationText, percent } from "../../format";

/** The node that stands for senders of which nothing is stored. */
export const UNKNOWN = "?";

/** How a node is called. */
export function nameOf(id: string, service = id): string {
  return id === UNKNOWN ? "not stored" : service;
}

/** What is wrong with an edge, in a word or two; null where nothing is. */
export function troubleOf(edge: MapEdge): string | null {
  if (edge.orphans > 0) return count(edge.orphans, "orphan");
  if (edge.broken) return edge.carried === null ? "broken" : `${percent(edge.carried)} carried`;
  return null;
}

/** Whether less than all of an edge's spans found the context. */
export function isShort(carried: number | null): boolean {
  return carried !== null && carried < 1;
}

/** Names an edge within a map, and in the address. */
export function edgeId(edge: Pick<MapEdge, "from" | "to" | "hop">): string {
  return `${edge.from}>${edge.to}:${edge.hop ?? ""}`;
}

/** Text no longer than `length` characters, with a sign where some were left out. */
export function clipped(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

/** `125/min`, `1.2 k/min`. */
export function rateText(perMinute: number): string {
  if (perMinute >= 9_950) return `${(perMinute / 1000).toFixed(0)} k/min`;
  if (perMinute >= 995) return `${(perMinute / 1000).toFixed(1)} k/min`;
  if (perMinute >= 9.95) return `${perMinute.toFixed(0)}/min`;
  if (perMinute >= 0.1) return `${Number(perMinute.toPrecision(2))}/min`;
  return perMinute > 0 ? "<0.1/min" : "0/min";
}

/** A duration, or a dash where there is none. */
export function figure(ms: number | null): string {
  return ms === null ? "–" : durationText(ms);
}

/** Nodes with the edges that leave them, from the first sender on: the order in which one reads. */
export function inReadingOrder(map: HopMap): { node: MapNode; leaving: MapEdge[] }[] {
  const leaving = new Map<string, MapEdge[]>(map.nodes.map((node) => [node.id, []]));
  for (const edge of map.edges) leaving.get(edge.from)?.push(edge);
  const entered = new Set(map.edges.filter((edge) => edge.from !== edge.to).map((edge) => edge.to));
  const byTraffic = [...map.nodes].sort((one, other) => other.spans - one.spans);
  const starts = byTraffic.filter((node) => !entered.has(node.id));
  const pages = byTraffic.filter((node) => node.party === "page");
  const waiting = [...pages, ...starts, ...byTraffic];
  const byId = new Map(map.nodes.map((node) => [node.id, node]));
  const order: { node: MapNode; leaving: MapEdge[] }[] = [];
  const seen = new Set<string>();
  for (const start of waiting) {
    const queue = [start];
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      if (seen.has(node.id)) continue;
      seen.add(node.id);
      const edges = leaving.get(node.id) ?? [];
      order.push({ node, leaving: edges });
      queue.push(...edges.flatMap((edge) => byId.get(edge.to) ?? []));
    }
  }
  return order;
}

/** What a screen reader says of a node. */
export function nodeAccessibleName(node: MapNode): string {
  const parts = [`${nameOf(node.id, node.service)}, ${node.party}`, count(node.spans, "span")];
  if (node.errors > 0) parts.push(count(node.errors, "error"));
  if (node.p95_ms !== null) parts.push(`p95 ${durationText(node.p95_ms)}`);
  return parts.join(", ");
}

/** What a screen reader says of an edge. */
export function edgeAccessibleName(edge: MapEdge): string {
  const parts = [`${nameOf(edge.from)} to ${edge.to}, ${hopText(edge)}`, count(edge.count, "time")];
  if (edge.errors > 0) parts.push(count(edge.errors, "error"));
  if (edge.p95_ms !== null) parts.push(`p95 ${durationText(edge.p95_ms)}`);
  const trouble = troubleOf(edge);
  if (trouble !== null) parts.push(`broken: ${trouble}`);
  return parts.join(", ");
}

/** The hop's name; a call within no declared hop is just a call. */
export function hopText(edge: Pick<MapEdge, "hop">): string {
  return edge.hop ?? "call";
}

/** How the map is told in a line: how much there is, then what is wrong. */
export function mapSentence(map: HopMap): string {
  const services = map.nodes.filter((node) => node.id !== UNKNOWN).length;
  const whole = `${count(services, "service")}, ${count(map.edges.length, "hop")}.`;
  const broken = map.edges.filter((edge) => edge.broken);
  if (broken.length === 0)
    return map.edges.length === 0 ? whole : `${whole} Every one carries the context.`;
  const names = broken
    .slice(0, 3)
    .map(({ from, to, hop }) =>
      from === UNKNOWN
        ? `${hopText({ hop })} to ${to}`
        : `${hopText({ hop })} from ${from} to ${to}`,
    );
  if (broken.length > 3) names.push(`${broken.length - 3} more`);
  return `${whole} The context is lost at ${names.join(", ")}.`;
}
