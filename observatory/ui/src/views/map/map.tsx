/** The Map view: services, and the hops between them. */
import "./map.css";
import { useCallback, useRef } from "preact/hooks";
import { fetchMap } from "../../api/requests";
import type { HopMap } from "../../api/types";
import { ErrorState } from "../../components/error_state";
import { ExporterSetting, Notice } from "../../components/notice";
import { SegmentedLinks } from "../../components/segmented_links";
import { useTitle } from "../../hooks/document_title";
import { usePolling } from "../../hooks/polling";
import { followLink, go } from "../../navigation/route";
import {
  address,
  bothFilters,
  type Selection,
  selectionOf,
  selectionParameters,
  withSelection,
} from "../../navigation/selection";
import { Graph, type Selected } from "./graph";
import { edgeId, mapSentence } from "./labels";
import { MapDetails } from "./map_details";
import { MapTable } from "./map_table";

const PAUSE_MS = 3_000;

export function MapView({ query }: { query: URLSearchParams }) {
  const selection = selectionOf(query);
  const parameters = selectionParameters(selection);
  const live = usePolling(
    parameters.toString(),
    (signal) => fetchMap(parameters, signal),
    () => PAUSE_MS,
    true,
  );
  const { answer, failure } = live;
  useTitle("Map");
  return (
    <>
      <div class="map-head">
        <h1>Map</h1>
        <p class="sub" role="status">
          {answer && answer.nodes.length > 0 ? mapSentence(answer) : " "}
        </p>
        <DrawingOrTable query={query} />
      </div>
      <ErrorState request={live} loading="Loading the map…" />
      {answer !== null && failure?.kind !== "refused" && (
        <Loaded map={answer} query={query} selection={selection} />
      )}
    </>
  );
}

/** Links to the map as a drawing and as a table. */
function DrawingOrTable({ query }: { query: URLSearchParams }) {
  const table = query.get("as") === "table";
  return (
    <SegmentedLinks
      label="Show the map as"
      links={[
        { title: "Drawing", path: withParameter(query, "as", null), current: !table },
        { title: "Table", path: withParameter(query, "as", "table"), current: table },
      ]}
    />
  );
}

interface LoadedProps {
  map: HopMap;
  query: URLSearchParams;
  selection: Selection;
}

function Loaded({ map, query, selection }: LoadedProps) {
  const aside = useRef<HTMLElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const selected = selectedIn(query);
  const select = useCallback(
    (next: Selected) => {
      const changed = new URLSearchParams(query);
      changed.delete("node");
      changed.delete("edge");
      for (const [name, value] of Object.entries(next ?? {})) changed.set(name, value);
      go(address("/map", changed), "replace");
    },
    [query],
  );
  if (map.nodes.length === 0) return <EmptyState selection={selection} />;
  const asTable = query.get("as") === "table";
  const hasDetails = isIn(map, selected);
  const close = () => {
    const pressed = body.current?.querySelector<SVGElement>('[aria-pressed="true"]');
    select(null);
    pressed?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the details from anywhere in here
    <div
      class={`map-body ${asTable || hasDetails ? "beside" : ""} ${hasDetails ? "detailed" : ""}`}
      ref={body}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <section class="panel map-panel" aria-label="Map">
        {asTable ? (
          <MapTable map={map} onSelect={select} />
        ) : (
          <Graph map={map} selected={selected} onSelect={select} />
        )}
      </section>
      <MapDetails
        map={map}
        selected={selected}
        pathWithFilter={(view, filter) => {
          const both = { ...selection, q: bothFilters(selection.q, filter) };
          return address(view, withSelection(new URLSearchParams(), both));
        }}
        onSelect={select}
        onClose={close}
        container={aside}
      />
    </div>
  );
}

function EmptyState({ selection }: { selection: Selection }) {
  if (selection.q !== "" || selection.range.kind !== "all")
    return (
      <Notice title="No trace matches the selection">
        <p>
          <a href="/map?last=all" onClick={followLink}>
            Show the map of all stored traces
          </a>
        </p>
      </Notice>
    );
  return (
    <Notice title="No traces yet">
      <p>
        The map is drawn from the traces that arrive. Use your app, or start it with this setting if
        it does not send here yet:
      </p>
      <ExporterSetting />
    </Notice>
  );
}

function selectedIn(query: URLSearchParams): Selected {
  const [node, edge] = [query.get("node"), query.get("edge")];
  if (node !== null) return { node };
  return edge === null ? null : { edge };
}

/** Whether the selected node or edge is part of the map. */
function isIn(map: HopMap, selected: Selected): boolean {
  if (selected === null) return false;
  if ("node" in selected) return map.nodes.some(({ id }) => id === selected.node);
  return map.edges.some((edge) => edgeId(edge) === selected.edge);
}

/** Return this view's address with a parameter changed; null removes it. */
function withParameter(query: URLSearchParams, name: string, value: string | null): string {
  const changed = new URLSearchParams(query);
  if (value === null) changed.delete(name);
  else changed.set(name, value);
  return address("/map", changed);
}
