/** The details panel: a span with all its data, a missing hop, or the guide. */
import "./details.css";
import type { ComponentChildren, RefObject } from "preact";
import type { Finding, MissingStep, Row, Trace, Unusual } from "../../api/types";
import { CopyButton, CopyIcon } from "../../components/copy_button";
import { durationText } from "../../format";
import { AttributeTable } from "./attributes";
import { Events, Exceptions, Logs } from "./events";
import { needleOf } from "./find";
import { UnusualSteps } from "./findings";
import { IncomingLinks, Links, Parent } from "./links";
import { Rules, withoutExcerpt } from "./rules_decision";
import { Section } from "./section";
import { SourceLine } from "./source_link";
import { unusualCount, unusualText } from "./waterfall_items";
import { shareText } from "./waterfall_row";

/** The element id of the guide, which is shown while no span is selected. */
export const GUIDE = "guide";

interface Props {
  trace: Trace;
  unusual: Unusual | null;
  row: Row;
  find: string;
  onSelect: (spanId: string) => void;
  onZoom: (row: Row) => void;
  onClose: () => void;
  container: RefObject<HTMLElement | null>;
}

export function Details(props: Props) {
  const { trace, unusual, row, find, onSelect, onZoom, onClose, container } = props;
  const attributes = withoutExcerpt(row.attributes);
  const needle = needleOf(find);
  const path = trace.critical_path.filter((segment) => segment.span_id === row.span_id);
  return (
    <Panel
      title={row.label || "(no name)"}
      class={row.party}
      onClose={onClose}
      container={container}
    >
      <p class="sub">
        <span class="party-dot" /> {row.service} · {row.kind.toLowerCase()}
        {row.hop && ` · by ${row.hop}`}
      </p>
      <SpanWarnings unusual={unusual} row={row} findings={trace.findings} />
      <dl class="timing">
        <Fact name="starts at">{durationText(row.offset_ms)}</Fact>
        {row.wait && <Fact name="waited">{durationText(row.wait.duration_ms)}</Fact>}
        <Fact name="took">{durationText(row.duration_ms)}</Fact>
        {path.length > 0 && (
          <Fact name="on the critical path">
            {durationText(path.reduce((sum, segment) => sum + segment.duration_ms, 0))}
          </Fact>
        )}
      </dl>
      {row.source && <SourceLine source={row.source} />}
      <p class="span-actions">
        <button type="button" onClick={() => onZoom(row)}>
          Zoom to this span
        </button>
      </p>
      <Exceptions events={row.events} />
      <Rules attributes={row.attributes} />
      <Section title="Attributes" size={Object.keys(attributes).length}>
        <AttributeTable attributes={attributes} needle={needle} filters />
      </Section>
      <Logs title="Logs" lines={row.logs} needle={needle} />
      <Events events={row.events} needle={needle} />
      <Links links={row.links} trace={trace} onSelect={onSelect} />
      <IncomingLinks links={trace.linked_from.filter((link) => link.to_span_id === row.span_id)} />
      <Identity trace={trace} row={row} onSelect={onSelect} />
      <Section title="Resource" size={Object.keys(row.resource).length}>
        <AttributeTable attributes={row.resource} needle={needle} filters />
      </Section>
    </Panel>
  );
}

interface PanelProps {
  title: string;
  class?: string;
  onClose: () => void;
  container: RefObject<HTMLElement | null>;
  children: ComponentChildren;
}

function Panel({ title, class: class_ = "", onClose, container, children }: PanelProps) {
  return (
    <aside
      class={`details panel ${class_}`}
      aria-labelledby="details-title"
      tabIndex={-1}
      ref={container}
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

interface GapProps extends Pick<PanelProps, "onClose" | "container"> {
  gap: MissingStep;
  comparedWith: number;
}

/** The details of a missing hop. */
export function GapDetails({ gap, comparedWith, onClose, container }: GapProps) {
  return (
    <Panel title={`No ${gap.name} here`} onClose={onClose} container={container}>
      <p class="sub">
        {gap.service}
        {gap.hop && ` · by ${gap.hop}`}
      </p>
      <p>
        Of {comparedWith.toLocaleString("en")} traces that began the same way,{" "}
        {shareText(gap.usual_share).replace(" of such traces", "")} have this hop. In this trace it
        did not happen, lost the trace context, or has not arrived yet.
      </p>
      <p>
        Look at the span that should have caused it: did it end in an error, or was its message or
        write never processed? If the context was lost, another trace begins with <b>{gap.name}</b>.
      </p>
    </Panel>
  );
}

interface GuideProps {
  trace: Trace;
  unusual: Unusual | null;
  gaps: readonly MissingStep[];
  onSelect: (id: string) => void;
}

/** Shown while no span is selected: what is unusual, and how to read the waterfall. */
export function Guide({ trace, unusual, gaps, onSelect }: GuideProps) {
  return (
    <aside class="details panel empty" aria-label="Details" id={GUIDE}>
      {unusual && unusualCount(unusual) > 0 && (
        <UnusualSteps trace={trace} unusual={unusual} gaps={gaps} onSelect={onSelect} />
      )}
      <h2>How to read this</h2>
      <dl class="guide">
        <dt>Each row is a span</dt>
        <dd>
          A span is one unit of work. Its bar shows when it ran. Select a row to see its details.
        </dd>
        <dt>
          <span class="swatch wait" /> Hatched is waiting
        </dt>
        <dd>The work had been sent, but its receiver had not started.</dd>
        {trace.critical_path.length > 0 && (
          <>
            <dt>
              <span class="swatch path" /> A line below bars
            </dt>
            <dd>
              The critical path: shorten one of these segments, and the whole trace gets shorter.
            </dd>
          </>
        )}
        <dt>Rows in bold begin a hop</dt>
        <dd>There the work moves to another service. The tag names the kind of hop.</dd>
      </dl>
      <IncomingLinks links={trace.linked_from} />
      <Logs title="Logs of the trace" lines={trace.logs} />
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

/** Banners for an error, an orphan, lost context and an unusual step. */
function SpanWarnings({
  unusual,
  row,
  findings,
}: {
  unusual: Unusual | null;
  row: Row;
  findings: Finding[];
}) {
  const unusualMark = unusualText(row, unusual);
  return (
    <>
      {row.error && (
        <p class="banner bad">
          <b>Error.</b> {row.status_message || "The span has no status message."}
        </p>
      )}
      {findings
        .filter((finding) => finding.span_id === row.span_id)
        .map((finding) => (
          <p key={finding.kind} class="banner warn">
            {finding.text}.
          </p>
        ))}
      {row.orphan && (
        <p class="banner warn">
          <b>Orphan.</b> Its parent <code>{row.parent_span_id}</code> is not stored.
        </p>
      )}
      {!row.orphan && !row.covered && (
        <p class="banner warn">
          It has no path of stored parents to a root: a hop has lost the context.
        </p>
      )}
      {unusualMark && (
        <p class="banner warn">
          <b>Unusual.</b>{" "}
          {unusualMark === "unusual"
            ? "Traces that began the same way rarely have this step."
            : `This step occurs ${unusualMark}.`}
        </p>
      )}
    </>
  );
}

function Identity({ trace, row, onSelect }: Pick<Props, "trace" | "row" | "onSelect">) {
  return (
    <Section title="Identity">
      <dl class="properties">
        <div>
          <dt>span</dt>
          <dd>{row.span_id}</dd>
          <dd class="value-tools">
            <CopyButton text={row.span_id} label="Copy span id" class="small">
              <CopyIcon />
            </CopyButton>
          </dd>
        </div>
        <Fact name="parent">
          <Parent trace={trace} row={row} onSelect={onSelect} />
        </Fact>
        {row.context && (
          <Fact name="context">
            {row.context}
            {row.carrier && `, in ${row.carrier}`}
          </Fact>
        )}
        {row.scope && <Fact name="scope">{row.scope}</Fact>}
        {row.name !== row.label && <Fact name="name">{row.name}</Fact>}
      </dl>
    </Section>
  );
}
