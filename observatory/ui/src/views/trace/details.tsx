/** Everything a span says about itself. */
import "./details.css";
import type { ComponentChildren, RefObject } from "preact";
import type { MissingStep, Row, Trace, Unusual } from "../../api/types";
import { Copy, CopyIcon } from "../../components/copy_button";
import { durationText } from "../../format";
import { Properties } from "./attributes";
import { Events, Exceptions, Logs } from "./events";
import { needleOf } from "./find";
import { Shape } from "./findings";
import { Links, Parent } from "./links";
import { Rules, withoutExcerpt } from "./rules_decision";
import { Section } from "./section";
import { SourceLine } from "./source_link";
import { oddities, oddityOf } from "./waterfall_items";
import { shareText } from "./waterfall_row";

/** The id of what is shown while no span is. */
export const GUIDE = "guide";

interface Props {
  journey: Trace;
  unusual: Unusual | null;
  row: Row;
  find: string;
  onSelect: (spanId: string) => void;
  onZoom: (row: Row) => void;
  onClose: () => void;
  place: RefObject<HTMLElement | null>;
}

export function Details(props: Props) {
  const { journey, unusual, row, find, onSelect, onZoom, onClose, place } = props;
  const attributes = withoutExcerpt(row.attributes);
  const needle = needleOf(find);
  const path = journey.critical_path.filter((piece) => piece.span_id === row.span_id);
  return (
    <Panel title={row.label || "(no name)"} class={row.party} onClose={onClose} place={place}>
      <p class="sub">
        <span class="party-dot" /> {row.service} · {row.kind.toLowerCase()}
        {row.hop && ` · by ${row.hop}`}
      </p>
      <Trouble unusual={unusual} row={row} />
      <dl class="timing">
        <Fact name="begins">{durationText(row.offset_ms)}</Fact>
        {row.wait && <Fact name="waited">{durationText(row.wait.duration_ms)}</Fact>}
        <Fact name="took">{durationText(row.duration_ms)}</Fact>
        {path.length > 0 && (
          <Fact name="on the critical path">
            {durationText(path.reduce((sum, piece) => sum + piece.duration_ms, 0))}
          </Fact>
        )}
      </dl>
      {row.source && <SourceLine source={row.source} />}
      <p class="span-actions">
        <button type="button" onClick={() => onZoom(row)}>
          Zoom to it
        </button>
      </p>
      <Exceptions events={row.events} />
      <Rules attributes={row.attributes} />
      <Section title="Attributes" size={Object.keys(attributes).length}>
        <Properties attributes={attributes} needle={needle} filters />
      </Section>
      <Logs title="Logs" lines={row.logs} needle={needle} />
      <Events events={row.events} needle={needle} />
      <Links links={row.links} journey={journey} onSelect={onSelect} />
      <Identity journey={journey} row={row} onSelect={onSelect} />
      <Section title="Resource" size={Object.keys(row.resource).length}>
        <Properties attributes={row.resource} needle={needle} filters />
      </Section>
    </Panel>
  );
}

interface PanelProps {
  title: string;
  class?: string;
  onClose: () => void;
  place: RefObject<HTMLElement | null>;
  children: ComponentChildren;
}

function Panel({ title, class: class_ = "", onClose, place, children }: PanelProps) {
  return (
    <aside
      class={`details panel ${class_}`}
      aria-labelledby="details-title"
      tabIndex={-1}
      ref={place}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <div class="details-head">
        <h2 id="details-title">{title}</h2>
        <button type="button" class="close" aria-label="Close details" onClick={onClose}>
          ×
        </button>
      </div>
      {children}
    </aside>
  );
}

interface GapProps extends Pick<PanelProps, "onClose" | "place"> {
  gap: MissingStep;
  comparedWith: number;
}

/** About a hop that isn't there. */
export function GapDetails({ gap, comparedWith, onClose, place }: GapProps) {
  return (
    <Panel title={`No ${gap.name} here`} onClose={onClose} place={place}>
      <p class="sub">
        {gap.service}
        {gap.hop && ` · by ${gap.hop}`}
      </p>
      <p>
        Of {comparedWith.toLocaleString("en")} traces that began the same way,{" "}
        {shareText(gap.usual_share).replace(" of such traces", "")} have this hop. In this one it
        never came, came without the context, or is still on its way.
      </p>
      <p>
        Look at what should have caused it: did that span end in an error, or was its message or
        write never picked up? A trace that holds the lost half would begin with <b>{gap.name}</b>{" "}
        and have no parent.
      </p>
    </Panel>
  );
}

interface GuideProps {
  journey: Trace;
  unusual: Unusual | null;
  gaps: readonly MissingStep[];
  onSelect: (id: string) => void;
}

/** Nothing is chosen: what is unusual, and how to read the waterfall, in plain words. */
export function Guide({ journey, unusual, gaps, onSelect }: GuideProps) {
  return (
    <aside class="details panel empty" aria-label="Details" id={GUIDE}>
      {unusual && oddities(unusual) > 0 && (
        <Shape journey={journey} unusual={unusual} gaps={gaps} onChoose={onSelect} />
      )}
      <h2>How to read this</h2>
      <dl class="guide">
        <dt>Each row is a span</dt>
        <dd>One piece of work. Its bar shows when it ran. Choose a row to see all it says.</dd>
        <dt>
          <span class="swatch wait" /> Hatched is waiting
        </dt>
        <dd>The work was handed over, and nobody had taken it up yet.</dd>
        {journey.critical_path.length > 0 && (
          <>
            <dt>
              <span class="swatch path" /> The line below bars
            </dt>
            <dd>
              The critical path: make one of these pieces faster, and all of it is done sooner.
            </dd>
          </>
        )}
        <dt>Rows in bold begin a hop</dt>
        <dd>The work moved on to somebody else there; the tag says how it got there.</dd>
      </dl>
      <Logs title="Logs of the trace" lines={journey.logs} />
    </aside>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Trouble({ unusual, row }: { unusual: Unusual | null; row: Row }) {
  const oddity = oddityOf(row, unusual);
  return (
    <>
      {row.error && (
        <p class="banner bad">
          <b>Error.</b> {row.status_message || "The span gives no message."}
        </p>
      )}
      {row.orphan && (
        <p class="banner warn">
          <b>Orphan.</b> It names the parent <code>{row.parent_span_id}</code>, which isn't stored.
        </p>
      )}
      {!row.orphan && !row.covered && (
        <p class="banner warn">Its parents don't lead to a declared root.</p>
      )}
      {oddity && (
        <p class="banner warn">
          <b>Unusual.</b>{" "}
          {oddity === "unusual"
            ? "Other traces that began the same way seldom have it."
            : `It is here ${oddity}.`}
        </p>
      )}
    </>
  );
}

function Identity({ journey, row, onSelect }: Pick<Props, "journey" | "row" | "onSelect">) {
  return (
    <Section title="Identity">
      <dl class="properties">
        <div>
          <dt>span</dt>
          <dd>{row.span_id}</dd>
          <dd class="value-tools">
            <Copy text={row.span_id} label="Copy span id" class="small">
              <CopyIcon />
            </Copy>
          </dd>
        </div>
        <Said name="parent">
          <Parent journey={journey} row={row} onSelect={onSelect} />
        </Said>
        {row.context && (
          <Said name="context">
            {row.context}
            {row.carrier && `, in ${row.carrier}`}
          </Said>
        )}
        {row.scope && <Said name="scope">{row.scope}</Said>}
        {row.name !== row.label && <Said name="name">{row.name}</Said>}
      </dl>
    </Section>
  );
}

function Said({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
