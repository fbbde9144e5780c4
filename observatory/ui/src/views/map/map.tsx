/** The hops as a graph, drawn from the data. */
import "./map.css";
import { useCallback, useRef } from "preact/hooks";
import { fetchMap } from "../../api/requests";
import type { HopMap } from "../../api/types";
import { ErrorState } from "../../components/error_state";
import { Notice } from "../../components/notice";
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
import { type Chosen, Graph } from "./graph";
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
        <Shapes query={query} />
      </div>
      <ErrorState live={live} asking="Drawing the map…" />
      {answer !== null && failure?.kind !== "refused" && (
        <Loaded map={answer} query={query} selection={selection} />
      )}
    </>
  );
}

/** Drawing or table: both are links, since a URL names what is shown. */
function Shapes({ query }: { query: URLSearchParams }) {
  const table = query.get("as") === "table";
  return (
    <nav class="map-shapes" aria-label="How the map is shown">
      <a
        href={withParameter(query, "as", null)}
        onClick={followLink}
        aria-current={table ? undefined : "true"}
      >
        Drawing
      </a>
      <a
        href={withParameter(query, "as", "table")}
        onClick={followLink}
        aria-current={table ? "true" : undefined}
      >
        Table
      </a>
    </nav>
  );
}

interface LoadedProps {
  map: HopMap;
  query: URLSearchParams;
  selection: Selection;
}

function Loaded({ map, query, selection }: LoadedProps) {
  const aside = useRef<HTMLElement>(null);
  const drawing = useRef<HTMLDivElement>(null);
  const chosen = chosenIn(query);
  const choose = useCallback(
    (next: Chosen) => {
      const changed = new URLSearchParams(query);
      changed.delete("node");
      changed.delete("edge");
      for (const [name, value] of Object.entries(next ?? {})) changed.set(name, value);
      go(address("/map", changed), "replace");
    },
    [query],
  );
  if (map.nodes.length === 0) return <NothingYet selection={selection} />;
  const asTable = query.get("as") === "table";
  const detailed = isIn(map, chosen);
  const close = () => {
    const pressed = drawing.current?.querySelector<SVGElement>('[aria-pressed="true"]');
    choose(null);
    pressed?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the details from anywhere in here
    <div
      class={`map-body ${asTable || detailed ? "beside" : ""} ${detailed ? "detailed" : ""}`}
      ref={drawing}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <section class="panel map-panel" aria-label="Map">
        {asTable ? (
          <MapTable map={map} onChoose={choose} />
        ) : (
          <Graph map={map} chosen={chosen} onChoose={choose} />
        )}
      </section>
      <MapDetails
        map={map}
        chosen={chosen}
        narrowed={(view, filter) => {
          const both = { ...selection, q: bothFilters(selection.q, filter) };
          return address(view, withSelection(new URLSearchParams(), both));
        }}
        onChoose={choose}
        onClose={close}
        container={aside}
      />
    </div>
  );
}

function NothingYet({ selection }: { selection: Selection }) {
  if (selection.q !== "" || selection.range.kind !== "all")
    return (
      <Notice title="No trace in this selection">
        <p>
          <a href="/map?last=all" onClick={followLink}>
            Draw the map of everything stored
          </a>
        </p>
      </Notice>
    );
  return (
    <Notice title="Nothing to draw yet">
      <p>
        The map is made of the traces that arrive. Buy a ticket on the Box Office page, or let a
        browser buy one.
      </p>
      <pre>
        <code>./scripts/dev --buy</code>
      </pre>
    </Notice>
  );
}

function chosenIn(query: URLSearchParams): Chosen {
  const [node, edge] = [query.get("node"), query.get("edge")];
  if (node !== null) return { node };
  return edge === null ? null : { edge };
}

/** Whether what was chosen is there, so that there are details of it. */
function isIn(map: HopMap, chosen: Chosen): boolean {
  if (chosen === null) return false;
  if ("node" in chosen) return map.nodes.some(({ id }) => id === chosen.node);
  return map.edges.some((edge) => edgeId(edge) === chosen.edge);
}

/** This view's address with a parameter changed. */
function withParameter(query: URLSearchParams, name: string, value: string | null): string {
  const changed = new URLSearchParams(query);
  if (value === null) changed.delete(name);
  else changed.set(name, value);
  return address("/map", changed);
}
