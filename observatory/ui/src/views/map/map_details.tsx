/** What is known of the node or edge one has chosen, and where to go from there. */
import type { ComponentChildren, RefObject } from "preact";
import type { HopMap, MapEdge, MapNode } from "../../api/types";
import { count, percent } from "../../format";
import { quoted } from "../../navigation/filter_syntax";
import { followLink } from "../../navigation/route";
import type { Chosen } from "./graph";
import { edgeId, figure, hopText, isShort, nameOf, rateText, UNKNOWN } from "./labels";

interface Props {
  map: HopMap;
  chosen: Chosen;
  /** The address of a view, narrowed to what is chosen as well as what is selected. */
  narrowed: (view: "/" | "/logs", filter: string) => string;
  onChoose: (chosen: Chosen) => void;
  onClose: () => void;
  container: RefObject<HTMLElement | null>;
}

export function MapDetails({ map, chosen, narrowed, onChoose, onClose, container }: Props) {
  const node = chosen && "node" in chosen && map.nodes.find((each) => each.id === chosen.node);
  const edge = chosen && "edge" in chosen && map.edges.find((each) => edgeId(each) === chosen.edge);
  if (!node && !edge)
    return (
      <aside class="map-aside panel none" aria-label="Details">
        <p>Choose a service or a hop to see its figures.</p>
        <p class="sub">
          A box is a service, with p50 and p95 of its spans. A line is a hop, wider the more often
          it happens. Red and dashed: the context doesn't arrive.
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
      {node && <OfNode {...{ map, node, narrowed, onChoose }} />}
      {edge && <OfEdge {...{ map, edge, narrowed, onChoose }} />}
    </aside>
  );
}

type OfNodeProps = Pick<Props, "map" | "narrowed" | "onChoose"> & { node: MapNode };

function OfNode({ map, node, narrowed, onChoose }: OfNodeProps) {
  const filter = `service = ${quoted(node.service)}`;
  const coming = map.edges.filter((edge) => edge.to === node.id);
  const leaving = map.edges.filter((edge) => edge.from === node.id);
  return (
    <>
      <p class="sub">
        {node.id === UNKNOWN ? (
          "Stands for senders of which no span is stored."
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
        title="Comes from"
        edges={coming}
        name={(edge) => nameOf(edge.from)}
        onChoose={onChoose}
      />
      <Hops title="Hands on to" edges={leaving} name={(edge) => edge.to} onChoose={onChoose} />
      {node.id !== UNKNOWN && (
        <ul class="map-links">
          <Link to={narrowed("/", filter)}>Traces with {node.service}</Link>
          {node.errors > 0 && (
            <Link to={narrowed("/", `${filter} and error = true`)}>Those with an error</Link>
          )}
          <Link to={narrowed("/logs", filter)}>Log lines of these traces</Link>
        </ul>
      )}
    </>
  );
}

type OfEdgeProps = Pick<Props, "map" | "narrowed" | "onChoose"> & { edge: MapEdge };

function OfEdge({ edge, narrowed, onChoose }: OfEdgeProps) {
  const to = `service = ${quoted(edge.to)}`;
  const filter = edge.hop === null ? to : `hop = ${quoted(edge.hop)} and ${to}`;
  return (
    <>
      <p class="sub">
        {edge.hop === null ? "a call that declares no hop" : `by ${edge.hop}`} ·{" "}
        <button type="button" class="as-link" onClick={() => onChoose({ node: edge.from })}>
          {nameOf(edge.from)}
        </button>{" "}
        ·{" "}
        <button type="button" class="as-link" onClick={() => onChoose({ node: edge.to })}>
          {edge.to}
        </button>
      </p>
      {edge.broken && (
        <p class="banner bad">
          <b>The context is lost here.</b>{" "}
          {edge.orphans === 0 ? (
            "Some spans that came this way found none."
          ) : (
            <>
              {count(edge.orphans, "span")} can't be joined to what sent{" "}
              {edge.orphans === 1 ? "it" : "them"}.{" "}
              <a href={narrowed("/", edge.orphan_filter)} onClick={followLink}>
                Open the orphans
              </a>
            </>
          )}
        </p>
      )}
      <dl class="map-figures">
        <Fact name="times">{edge.count.toLocaleString("en")}</Fact>
        <Fact name="rate">{rateText(edge.per_minute)}</Fact>
        <Fact name="errors" bad={edge.errors > 0}>
          {edge.errors.toLocaleString("en")}
        </Fact>
        <Fact name="carried" bad={isShort(edge.carried)}>
          {edge.carried === null ? "–" : percent(edge.carried)}
        </Fact>
        <Fact name="took, p50">{figure(edge.p50_ms)}</Fact>
        <Fact name="took, p95">{figure(edge.p95_ms)}</Fact>
        {edge.wait_p50_ms !== null && (
          <>
            <Fact name="waited, p50">{figure(edge.wait_p50_ms)}</Fact>
            <Fact name="waited, p95">{figure(edge.wait_p95_ms)}</Fact>
          </>
        )}
      </dl>
      <ul class="map-links">
        <Link to={narrowed("/", filter)}>Traces that take this hop</Link>
        {edge.errors > 0 && (
          <Link to={narrowed("/", `${filter} and error = true`)}>Those with an error</Link>
        )}
        {edge.wait_p95_ms !== null && edge.wait_p95_ms > 0 && (
          <Link to={narrowed("/", `wait.${edge.to} > ${edge.wait_p95_ms.toFixed(0)}ms`)}>
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
  onChoose: (chosen: Chosen) => void;
}

function Hops({ title, edges, name, onChoose }: HopsProps) {
  if (edges.length === 0) return null;
  return (
    <section class="map-hops">
      <h3>{title}</h3>
      <ul>
        {edges.map((edge) => (
          <li key={edgeId(edge)}>
            <button type="button" class="as-link" onClick={() => onChoose({ edge: edgeId(edge) })}>
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
