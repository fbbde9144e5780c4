/** The attributes that set the compared subset of traces apart from the rest. */
import "./comparison.css";
import { useState } from "preact/hooks";
import type { ComparedAttribute, ComparedValue, Comparison } from "../../api/types";
import { count, wholePercent } from "../../format";
import type { Subset } from "./subset";

const ATTRIBUTES_SHOWN = 6;
const VALUES_SHOWN = 2;
const DIFFERENCE_MIN = 0.02;

interface Props {
  comparison: Comparison;
  subset: Subset;
  /** Called with the filter of a bar that was clicked. */
  onFilter: (filter: string) => void;
}

export function ComparisonResult({ comparison, subset, onFilter }: Props) {
  const [all, setAll] = useState(false);
  const { selected, rest, sentence } = comparison;
  if (selected === 0 && rest === 0)
    return (
      <p class="sub">
        No trace matches the filter and the time range, so there is nothing to compare.
      </p>
    );
  if (selected === 0)
    return <p class="sub">No trace matches. Draw another box, or press Escape to clear it.</p>;
  if (rest === 0)
    return (
      <p class="sub">
        All {count(selected, "trace")} match, so there are no others to compare with. Draw a smaller
        box, or choose a longer time range.
      </p>
    );
  const ranked = comparison.attributes.filter(({ difference }) => difference >= DIFFERENCE_MIN);
  const shown = all ? ranked : ranked.slice(0, ATTRIBUTES_SHOWN);
  return (
    <>
      <p class="sentence">
        {sentence.map(({ text, strong }, index) =>
          strong ? <b key={index}>{text}</b> : <span key={index}>{text}</span>,
        )}
      </p>
      <p class="count-key">
        <span>
          <i class="in" />
          {subset.kind === "box" ? "in the box" : "with the filter"} (
          {selected.toLocaleString("en")})
        </span>
        <span>
          <i class="out" />
          the rest ({rest.toLocaleString("en")})
        </span>
      </p>
      {ranked.length === 0 && <p class="sub">No attribute sets them apart from the rest.</p>}
      <Attributes
        title="Known at the start, so possibly a cause"
        attributes={shown.filter((attribute) => attribute.known_at_start)}
        onFilter={onFilter}
      />
      <Attributes
        title="Set later, so possibly a consequence"
        attributes={shown.filter((attribute) => !attribute.known_at_start)}
        onFilter={onFilter}
      />
      {ranked.length > ATTRIBUTES_SHOWN && (
        <button type="button" class="as-link" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show ${ranked.length - ATTRIBUTES_SHOWN} more`}
        </button>
      )}
    </>
  );
}

interface AttributesProps extends Pick<AttributeProps, "onFilter"> {
  title: string;
  attributes: ComparedAttribute[];
}

function Attributes({ title, attributes, onFilter }: AttributesProps) {
  if (attributes.length === 0) return null;
  return (
    <>
      <p class="attributes-title">{title}</p>
      <ol class="attributes" aria-label={title}>
        {attributes.map((attribute) => (
          <Attribute key={attribute.key} attribute={attribute} onFilter={onFilter} />
        ))}
      </ol>
    </>
  );
}

interface AttributeProps {
  attribute: ComparedAttribute;
  onFilter: (filter: string) => void;
}

function Attribute({ attribute: { key, values }, onFilter }: AttributeProps) {
  const [all, setAll] = useState(false);
  // Values that the subset has more often come first, then those that it lacks.
  const ranked = values.toSorted(
    (one, other) => other.inside - other.outside - (one.inside - one.outside),
  );
  const differing = ranked.filter(
    ({ inside, outside }, index) => index === 0 || Math.abs(inside - outside) >= DIFFERENCE_MIN,
  );
  const shown = all ? ranked : differing.slice(0, VALUES_SHOWN);
  return (
    <li>
      <h3>
        <code title={key}>{key}</code>
        {values.length > shown.length && (
          <button type="button" class="as-link" onClick={() => setAll(true)}>
            +{values.length - shown.length}
            <span class="unseen"> more values of {key}</span>
          </button>
        )}
      </h3>
      {shown.map((value) => (
        <Bars key={value.label} name={key} value={value} onFilter={onFilter} />
      ))}
    </li>
  );
}

interface BarsProps {
  name: string;
  value: ComparedValue;
  onFilter: (filter: string) => void;
}

function Bars({ name, value, onFilter }: BarsProps) {
  const { label, inside, outside, inside_count, outside_count, filter } = value;
  return (
    <button
      type="button"
      class="value-bars"
      data-filter={filter}
      title={`${inside_count.toLocaleString("en")} inside, ${outside_count.toLocaleString("en")} of the rest. Click to show only these traces, Shift+click to hide them.`}
      onClick={(event) => onFilter(event.shiftKey ? `not (${filter})` : filter)}
    >
      <span class="label">
        <span class="unseen">{name} </span>
        {label}
      </span>
      <span class="pair">
        <span class="track">
          <span class="in" style={{ width: `${inside * 100}%` }} />
        </span>
        <span class="track">
          <span class="out" style={{ width: `${outside * 100}%` }} />
        </span>
      </span>
      <span class="shares">
        <b>
          {wholePercent(inside)}
          <span class="unseen"> inside, </span>
        </b>
        <span>
          {wholePercent(outside)}
          <span class="unseen"> of the rest</span>
        </span>
      </span>
    </button>
  );
}
