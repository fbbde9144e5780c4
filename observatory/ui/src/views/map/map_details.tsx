/** The details of the selected node or edge, and links to its traces. */
import type { ComponentChildren, RefObject } from "preact";
import type { HopMap, MapEdge, MapNode } from "../../api/types";
import { count, percent } from "../../format";
import { quoted } from "../../navigation/filter_syntax";
import { followLink } from "../../navigation/route";
import type { Selected } from "./graph";
import { edgeId, figure, hopText, isBelowAll, nameOf, rateText, UNKNOWN } from "./labels";

interface Props {
  map: HopMap;
  selected: Selected;
  /** Returns the address of a view with a filter added to the current selection. */
  pathWithFilter: (view: "/" | "/logs", filter: string) => string;
  onSelect: (selected: Selected) => void;
  onClose: () => void;
  container: RefObject<HTMLElement | null>;
}

export function MapDetails({ map, selected, pathWithFilter, onSelect, onClose, container }: Props) {
  const node = selected && "node" in selected && map.nodes.find(({ id }) => id === selected.node);
  const edge =
    selected &&
    "edge" in selected &&
    map.edges.find((candidate) => edgeId(candidate) === selected.edge);
  if (!node && !edge)
    return (
      <aside class="map-aside panel none" aria-label="Details">
        <p>Select a service or a hop to see its figures.</p>
        <p class="sub">
          A box is a service, with the p50 and p95 of its spans. A line is a hop: the wider, the
          more often it occurs. A red, dashed line loses the trace context.
        </p>
      </aside>
    );
  return (
    <aside
      class={`map-aside panel ${node ? node.party : ""}`}
      aria-labelledby="map-aside-title"
      tabIndex={-1}
      ref={container}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <div class="aside-head">
        <h2 id="map-aside-title">
          {node ? nameOf(node.id, node.service) : edge ? `${nameOf(edge.from)} → ${edge.to}` : ""}
        </h2>
        <button type="button" class="close" aria-label="Close details" onClick={onClose}>
          ×
        </button>
      </div>
      {node && <NodeDetails {...{ map, node, pathWithFilter, onSelect }} />}
      {edge && <EdgeDetails {...{ map, edge, pathWithFilter, onSelect }} />}
    </aside>
  );
}

type NodeDetailsProps = Pick<Props, "map" | "pathWithFilter" | "onSelect"> & { node: MapNode };

function NodeDetails({ map, node, pathWithFilter, onSelect }: NodeDetailsProps) {
  const filter = `service = ${quoted(node.service)}`;
  const incoming = map.edges.filter((edge) => edge.to === node.id);
  const outgoing = map.edges.filter((edge) => edge.from === node.id);
  return (
    <>
      <p class="sub">
        {node.id === UNKNOWN ? (
          "Represents senders without stored spans."
        ) : (
          <>
            <span class="map-dot" /> {node.party}
          </>
        )}
      </p>
      <dl class="map-figures">
        <Fact name="spans">{node.spans.toLocaleString("en")}</Fact>
        <Fact name="errors" bad={node.errors > 0}>
          {node.errors.toLocaleString("en")}
        </Fact>
        <Fact name="p50">{figure(node.p50_ms)}</Fact>
        <Fact name="p95">{figure(node.p95_ms)}</Fact>
      </dl>
      <Hops
        title="Called by"
        edges={incoming}
        name={(edge) => nameOf(edge.from)}
        onSelect={onSelect}
      />
      <Hops title="Calls" edges={outgoing} name={(edge) => edge.to} onSelect={onSelect} />
      {node.id !== UNKNOWN && (
        <ul class="map-links">
          <Link to={pathWithFilter("/", filter)}>Traces through {node.service}</Link>
          {node.errors > 0 && (
            <Link to={pathWithFilter("/", `${filter} and error = true`)}>Those with errors</Link>
          )}
          <Link to={pathWithFilter("/logs", filter)}>Log lines of these traces</Link>
        </ul>
      )}
    </>
  );
}

type EdgeDetailsProps = Pick<Props, "map" | "pathWithFilter" | "onSelect"> & { edge: MapEdge };

function EdgeDetails({ edge, pathWithFilter, onSelect }: EdgeDetailsProps) {
  const to = `service = ${quoted(edge.to)}`;
  const filter = edge.hop === null ? to : `hop = ${quoted(edge.hop)} and ${to}`;
  return (
    <>
      <p class="sub">
        {edge.hop === null ? "a call without a declared hop" : `by ${edge.hop}`} ·{" "}
        <button type="button" class="as-link" onClick={() => onSelect({ node: edge.from })}>
          {nameOf(edge.from)}
        </button>{" "}
        ·{" "}
        <button type="button" class="as-link" onClick={() => onSelect({ node: edge.to })}>
          {edge.to}
        </button>
      </p>
      {edge.broken && (
        <p class="banner bad">
          <b>The trace context is lost here.</b>{" "}
          {edge.orphans === 0 ? (
            "Some of the receiving spans got no context."
          ) : (
            <>
              {count(edge.orphans, "span")} {edge.orphans === 1 ? "names" : "name"} a parent that is
              not stored.{" "}
              <a href={pathWithFilter("/", edge.orphan_filter)} onClick={followLink}>
                Show the traces with orphans
              </a>
            </>
          )}
        </p>
      )}
      <dl class="map-figures">
        <Fact name="count">{edge.count.toLocaleString("en")}</Fact>
        <Fact name="rate">{rateText(edge.per_minute)}</Fact>
        <Fact name="errors" bad={edge.errors > 0}>
          {edge.errors.toLocaleString("en")}
        </Fact>
        <Fact name="context carried" bad={isBelowAll(edge.carried)}>
          {edge.carried === null ? "–" : percent(edge.carried)}
        </Fact>
        <Fact name="duration p50">{figure(edge.p50_ms)}</Fact>
        <Fact name="duration p95">{figure(edge.p95_ms)}</Fact>
        {edge.wait_p50_ms !== null && (
          <>
            <Fact name="wait p50">{figure(edge.wait_p50_ms)}</Fact>
            <Fact name="wait p95">{figure(edge.wait_p95_ms)}</Fact>
          </>
        )}
      </dl>
      <ul class="map-links">
        <Link to={pathWithFilter("/", filter)}>Traces with this hop</Link>
        {edge.errors > 0 && (
          <Link to={pathWithFilter("/", `${filter} and error = true`)}>Those with errors</Link>
        )}
        {edge.wait_p95_ms !== null && edge.wait_p95_ms > 0 && (
          <Link to={pathWithFilter("/", `wait.${edge.to} > ${edge.wait_p95_ms.toFixed(0)}ms`)}>
            Those that waited longest
          </Link>
        )}
      </ul>
    </>
  );
}

interface HopsProps {
  title: string;
  edges: MapEdge[];
  name: (edge: MapEdge) => string;
  onSelect: (selected: Selected) => void;
}

function Hops({ title, edges, name, onSelect }: HopsProps) {
  if (edges.length === 0) return null;
  return (
    <section class="map-hops">
      <h3>{title}</h3>
      <ul>
        {edges.map((edge) => (
          <li key={edgeId(edge)}>
            <button type="button" class="as-link" onClick={() => onSelect({ edge: edgeId(edge) })}>
              {name(edge)}
            </button>{" "}
            <span class="sub">by {hopText(edge)}</span>
            {edge.broken && <span class="bad"> ⚠ broken</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Link({ to, children }: { to: string; children: ComponentChildren }) {
  return (
    <li>
      <a href={to} onClick={followLink}>
        {children}
      </a>
    </li>
  );
}

function Fact(props: { name: string; bad?: boolean; children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd class={props.bad ? "bad" : ""}>{props.children}</dd>
    </div>
  );
}
