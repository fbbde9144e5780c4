/** The map as tables, with the same figures as the drawing. */
import "./map_table.css";
import type { HopMap } from "../../api/types";
import { percent } from "../../format";
import type { Selected } from "./graph";
import {
  edgeId,
  figure,
  hopText,
  inReadingOrder,
  isBelowAll,
  nameOf,
  rateText,
  UNKNOWN,
} from "./labels";

interface Props {
  map: HopMap;
  onSelect: (chosen: Selected) => void;
}

export function MapTable({ map, onSelect }: Props) {
  const orderedNodes = inReadingOrder(map);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be reachable by keyboard
    <section class="map-table" tabIndex={0} aria-label="The map as tables">
      <table>
        <caption>Services</caption>
        <thead>
          <tr>
            <th scope="col">service</th>
            <th scope="col">party</th>
            {["spans", "errors", "p50", "p95"].map((head) => (
              <th key={head} scope="col" class="number">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {orderedNodes.map(({ node }) => (
            <tr key={node.id}>
              <th scope="row">
                <button type="button" class="as-link" onClick={() => onSelect({ node: node.id })}>
                  {nameOf(node.id, node.service)}
                </button>
              </th>
              <td class={node.party}>
                {node.id === UNKNOWN ? (
                  "–"
                ) : (
                  <>
                    <span class="map-dot" /> {node.party}
                  </>
                )}
              </td>
              <td class="number">{node.spans.toLocaleString("en")}</td>
              <td class={`number ${node.errors > 0 ? "bad" : ""}`}>{node.errors}</td>
              <td class="number">{figure(node.p50_ms)}</td>
              <td class="number">{figure(node.p95_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table>
        <caption>Hops</caption>
        <thead>
          <tr>
            <th scope="col">from, to</th>
            <th scope="col">hop</th>
            {["count", "rate", "errors", "p50", "p95", "wait p95", "context carried"].map(
              (head) => (
                <th key={head} scope="col" class="number">
                  {head}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {orderedNodes.flatMap(({ outgoing }) =>
            outgoing.map((edge) => (
              <tr key={edgeId(edge)}>
                <th scope="row">
                  <button
                    type="button"
                    class="as-link"
                    onClick={() => onSelect({ edge: edgeId(edge) })}
                  >
                    {nameOf(edge.from)} → {edge.to}
                  </button>
                </th>
                <td>
                  {hopText(edge)}
                  {edge.broken && <span class="bad"> ⚠ broken</span>}
                </td>
                <td class="number">{edge.count.toLocaleString("en")}</td>
                <td class="number">{rateText(edge.per_minute)}</td>
                <td class={`number ${edge.errors > 0 ? "bad" : ""}`}>{edge.errors}</td>
                <td class="number">{figure(edge.p50_ms)}</td>
                <td class="number">{figure(edge.p95_ms)}</td>
                <td class="number">{figure(edge.wait_p95_ms)}</td>
                <td class={`number ${isBelowAll(edge.carried) ? "bad" : ""}`}>
                  {edge.carried === null ? "–" : percent(edge.carried)}
                </td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </section>
  );
}
