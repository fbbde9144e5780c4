import { describe, expect, test } from "vitest";
import type { HopMap, MapEdge, MapNode } from "../../../observatory/ui/src/api/types";
import {
  breakageText,
  clipped,
  edgeAccessibleName,
  edgeId,
  inReadingOrder,
  mapSentence,
  nameOf,
  rateText,
} from "../../../observatory/ui/src/views/map/labels";
import { LABEL, layOutMap, NODE, smooth } from "../../../observatory/ui/src/views/map/layout";

function node(id: string, more: Partial<MapNode> = {}): MapNode {
  const figures = { spans: 10, errors: 0, p50_ms: 5, p95_ms: 20 };
  return { id, service: id, party: "function", ...figures, ...more };
}

function edge(from: string, to: string, more: Partial<MapEdge> = {}): MapEdge {
  return {
    from,
    to,
    hop: "pubsub",
    count: 10,
    per_minute: 2,
    errors: 0,
    p50_ms: 5,
    p95_ms: 20,
    wait_p50_ms: 1,
    wait_p95_ms: 3,
    carried: 1,
    orphans: 0,
    broken: false,
    orphan_filter: "orphans > 0",
    ...more,
  };
}

const PURCHASE: HopMap = {
  nodes: [
    node("charge"),
    node("acquirer", { party: "vendor" }),
    node("page", { party: "page", spans: 4 }),
    node("reserve"),
  ],
  edges: [
    edge("charge", "acquirer", { hop: "vendor" }),
    edge("page", "reserve", { hop: "trigger" }),
    edge("reserve", "charge"),
    edge("acquirer", "page", { hop: null }),
  ],
};

describe("reading order of the map", () => {
  test("starts at the page, even if the graph is cyclic", () => {
    const order = inReadingOrder(PURCHASE).map(({ node }) => node.id);
    expect(order).toEqual(["page", "reserve", "charge", "acquirer"]);
  });

  test("lists each edge once, with the node it leaves", () => {
    const edges = inReadingOrder(PURCHASE).flatMap(({ outgoing }) => outgoing.map(edgeId));
    expect(edges.toSorted()).toEqual(PURCHASE.edges.map(edgeId).toSorted());
  });

  test("without a page, starts at the nodes without incoming edges", () => {
    const map = { nodes: [node("b"), node("a", { spans: 3 }), node("c")], edges: [edge("a", "b")] };
    expect(inReadingOrder(map).map(({ node }) => node.id)).toEqual(["c", "a", "b"]);
  });
});

describe("describing the map", () => {
  test("says that every hop carries the context", () => {
    expect(mapSentence(PURCHASE)).toBe("4 services, 4 hops. Every hop carries the context.");
    expect(mapSentence({ nodes: [node("page")], edges: [] })).toBe("1 service, 0 hops.");
  });

  test("names the first three broken hops", () => {
    const broken = { broken: true, orphans: 2 };
    const edges = ["a", "b", "c", "d"].map((to) => edge("page", to, broken));
    expect(mapSentence({ nodes: [], edges })).toContain("pubsub from page to c, 1 more.");
  });

  test("describes senders that are not stored", () => {
    expect(nameOf("?")).toBe("not stored");
    const lost = edge("?", "settle", { hop: "webhook", broken: true, orphans: 1 });
    expect(mapSentence({ nodes: [node("settle"), node("?")], edges: [lost] })).toBe(
      "1 service, 1 hop. The context is lost at webhook to settle.",
    );
    expect(edgeAccessibleName(lost)).toContain("not stored to settle, webhook");
    expect(edgeAccessibleName(lost)).toContain("broken: 1 orphan");
  });

  test("describes a broken hop by its orphans, or the share of context carried", () => {
    expect(breakageText(edge("a", "b"))).toBeNull();
    expect(breakageText(edge("a", "b", { broken: true, orphans: 34 }))).toBe("34 orphans");
    expect(breakageText(edge("a", "b", { broken: true, carried: 0.923 }))).toBe("92.3 % carried");
  });

  test.each([
    [0, "0/min"],
    [0.02, "<0.1/min"],
    [0.42, "0.42/min"],
    [9.7, "9.7/min"],
    [125.4, "125/min"],
    [1240, "1.2 k/min"],
    [52_000, "52 k/min"],
  ])("shows a rate of %d as %s", (rate, text) => {
    expect(rateText(rate)).toBe(text);
  });

  test("clips long names by whole characters", () => {
    expect(clipped("firestore.rules", 16)).toBe("firestore.rules");
    expect(clipped("a-service-with-a-long-name", 8)).toBe("a-servi…");
    expect(clipped("🚋🚋🚋", 2)).toBe("🚋…");
  });
});

describe("the layout", () => {
  const DIRECTIONS = ["LR", "TB"] as const;
  test.each(DIRECTIONS)("places every box and label within the drawing (%s)", (direction) => {
    const placed = layOutMap(PURCHASE, direction);
    for (const { x, y } of placed.nodes.values()) {
      expect(x - NODE.width / 2).toBeGreaterThanOrEqual(0);
      expect(x + NODE.width / 2).toBeLessThanOrEqual(placed.width);
      expect(y + NODE.height / 2).toBeLessThanOrEqual(placed.height);
    }
    expect(placed.edges.size).toBe(PURCHASE.edges.length);
    for (const { at } of placed.edges.values())
      expect(at.x + LABEL.width / 2).toBeLessThanOrEqual(placed.width);
  });

  test.each(DIRECTIONS)("places every line within the drawing (%s)", (direction) => {
    // Many hops back and forth, of which dagre leads some around the outermost boxes.
    const names = ["page", "a", "b", "c"];
    const edges = names.flatMap((from, one) =>
      names.flatMap((to, other) =>
        one === other ? [edge(from, to)] : [edge(from, to), edge(from, to, { hop: "task" })],
      ),
    );
    const placed = layOutMap({ nodes: names.map((name) => node(name)), edges }, direction);
    for (const { line } of placed.edges.values()) {
      const numbers = line.match(/-?[\d.]+/g)?.map(Number) ?? [];
      const [xs, ys] = [0, 1].map((part) => numbers.filter((_, index) => index % 2 === part));
      expect(Math.min(...(xs ?? []), ...(ys ?? []))).toBeGreaterThanOrEqual(0);
      expect(Math.max(...(xs ?? []))).toBeLessThanOrEqual(placed.width);
      expect(Math.max(...(ys ?? []))).toBeLessThanOrEqual(placed.height);
    }
  });

  test("keeps two hops between the same services apart", () => {
    const map = {
      nodes: [node("a"), node("b")],
      edges: [edge("a", "b"), edge("a", "b", { hop: "task" })],
    };
    const [one, other] = [...layOutMap(map, "TB").edges.values()];
    expect(one?.at).not.toEqual(other?.at);
  });

  test("from top to bottom, draws a hop from a service to itself as a loop beside its box", () => {
    const map = { nodes: [node("a")], edges: [edge("a", "a")] };
    const placed = layOutMap(map, "TB");
    const [loop] = placed.edges.values();
    const side = (placed.nodes.get("a")?.x ?? 0) + NODE.width / 2;
    expect(loop?.line.startsWith(`M${side.toFixed(1)} `)).toBe(true);
    expect(loop?.line).toContain(`L${side.toFixed(1)} `);
  });

  test("from left to right, draws it below the box", () => {
    const placed = layOutMap({ nodes: [node("a")], edges: [edge("a", "a")] }, "LR");
    const [loop] = placed.edges.values();
    const { x, y } = placed.nodes.get("a") ?? { x: 0, y: 0 };
    const bottom = (y + NODE.height / 2).toFixed(1);
    expect(loop?.line.startsWith(`M${(x - NODE.width / 4).toFixed(1)} ${bottom}`)).toBe(true);
    expect(loop?.line.endsWith(`L${(x + NODE.width / 4).toFixed(1)} ${bottom}`)).toBe(true);
  });

  test.each(DIRECTIONS)("draws every line through its label (%s)", (direction) => {
    for (const { at, line } of layOutMap(PURCHASE, direction).edges.values())
      expect(line).toContain(`L${at.x.toFixed(1)} ${at.y.toFixed(1)}M`);
  });

  test("rounds the corners of a line, not its ends", () => {
    const points = [0, 10, 20].map((x) => ({ x, y: x === 10 ? 5 : 0 }));
    expect(smooth(points)).toBe("M0.0 0.0Q10.0 5.0 15.0 2.5L20.0 0.0");
    expect(smooth([])).toBe("");
  });
});
