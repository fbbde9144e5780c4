/** The map in words: names, figures, accessible names and reading order. */
import type { HopMap, MapEdge, MapNode } from "../../api/types";
import { count, durationText, percent } from "../../format";

/** The id of the node that represents senders without stored spans. */
export const UNKNOWN = "?";

/** Return the name to show for a node. */
export function nameOf(id: string, service = id): string {
  return id === UNKNOWN ? "not stored" : service;
}

/** Describe how an edge loses the context: `2 orphans`, `92.3 % carried`; null if it doesn't. */
export function breakageText(edge: MapEdge): string | null {
  if (edge.orphans > 0) return count(edge.orphans, "orphan");
  if (edge.broken) return edge.carried === null ? "broken" : `${percent(edge.carried)} carried`;
  return null;
}

/** Whether an edge's share of carried context is known and less than all. */
export function isBelowAll(carried: number | null): boolean {
  return carried !== null && carried < 1;
}

/** Return an id for an edge, unique in the map; it is also used in the address. */
export function edgeId(edge: Pick<MapEdge, "from" | "to" | "hop">): string {
  return `${edge.from}>${edge.to}:${edge.hop ?? ""}`;
}

/** Shorten text to `length` characters, with an ellipsis. */
export function clipped(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

/** Format a rate: `125/min`, `1.2 k/min`. */
export function rateText(perMinute: number): string {
  if (perMinute >= 9_950) return `${(perMinute / 1000).toFixed(0)} k/min`;
  if (perMinute >= 995) return `${(perMinute / 1000).toFixed(1)} k/min`;
  if (perMinute >= 9.95) return `${perMinute.toFixed(0)}/min`;
  if (perMinute >= 0.1) return `${Number(perMinute.toPrecision(2))}/min`;
  return perMinute > 0 ? "<0.1/min" : "0/min";
}

/** Format a duration, or a dash if there is none. */
export function figure(ms: number | null): string {
  return ms === null ? "–" : durationText(ms);
}

/** Return the nodes with their outgoing edges, breadth first from the pages, then other senders. */
export function inReadingOrder(map: HopMap): { node: MapNode; outgoing: MapEdge[] }[] {
  const outgoing = new Map<string, MapEdge[]>(map.nodes.map((node) => [node.id, []]));
  for (const edge of map.edges) outgoing.get(edge.from)?.push(edge);
  const entered = new Set(map.edges.filter((edge) => edge.from !== edge.to).map((edge) => edge.to));
  const byTraffic = [...map.nodes].sort((one, other) => other.spans - one.spans);
  const withoutCallers = byTraffic.filter((node) => !entered.has(node.id));
  const pages = byTraffic.filter((node) => node.party === "page");
  // All nodes come last, because those of a cycle all have callers.
  const starts = [...pages, ...withoutCallers, ...byTraffic];
  const byId = new Map(map.nodes.map((node) => [node.id, node]));
  const order: { node: MapNode; outgoing: MapEdge[] }[] = [];
  const seen = new Set<string>();
  for (const start of starts) {
    const queue = [start];
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      if (seen.has(node.id)) continue;
      seen.add(node.id);
      const edges = outgoing.get(node.id) ?? [];
      order.push({ node, outgoing: edges });
      queue.push(...edges.flatMap((edge) => byId.get(edge.to) ?? []));
    }
  }
  return order;
}

/** Return the accessible name of a node. */
export function nodeAccessibleName(node: MapNode): string {
  const parts = [`${nameOf(node.id, node.service)}, ${node.party}`, count(node.spans, "span")];
  if (node.errors > 0) parts.push(count(node.errors, "error"));
  if (node.p95_ms !== null) parts.push(`p95 ${durationText(node.p95_ms)}`);
  return parts.join(", ");
}

/** Return the accessible name of an edge. */
export function edgeAccessibleName(edge: MapEdge): string {
  const parts = [`${nameOf(edge.from)} to ${edge.to}, ${hopText(edge)}`, count(edge.count, "time")];
  if (edge.errors > 0) parts.push(count(edge.errors, "error"));
  if (edge.p95_ms !== null) parts.push(`p95 ${durationText(edge.p95_ms)}`);
  const breakage = breakageText(edge);
  if (breakage !== null) parts.push(`broken: ${breakage}`);
  return parts.join(", ");
}

/** Return the hop's name, or `call` if no hop is declared. */
export function hopText(edge: Pick<MapEdge, "hop">): string {
  return edge.hop ?? "call";
}

/** Summarise the map in a sentence or two: its size, then where the context is lost. */
export function mapSentence(map: HopMap): string {
  const services = map.nodes.filter((node) => node.id !== UNKNOWN).length;
  const whole = `${count(services, "service")}, ${count(map.edges.length, "hop")}.`;
  const broken = map.edges.filter((edge) => edge.broken);
  if (broken.length === 0)
    return map.edges.length === 0 ? whole : `${whole} Every hop carries the context.`;
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
