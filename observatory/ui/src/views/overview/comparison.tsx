/** What the compared traces have that the rest have not. */
import "./comparison.css";
import { useState } from "preact/hooks";
import type { ComparedAttribute, ComparedValue, Comparison } from "../../api/types";
import { count } from "../../format";
import { share } from "./share";
import type { Subset } from "./subset";

const ATTRIBUTES_FIRST = 6;
const VALUES_FIRST = 2;
const WORTH_SHOWING = 0.02;

interface Props {
  comparison: Comparison;
  subset: Subset;
  /** A bar was clicked: show only traces like that. */
  onFilter: (filter: string) => void;
}

export function ComparisonResult({ comparison, subset, onFilter }: Props) {
  const [all, setAll] = useState(false);
  const { selected, rest, sentence } = comparison;
  if (selected === 0)
    return <p class="sub">No trace is in it. Draw another box, or press Escape.</p>;
  if (rest === 0)
    return (
      <p class="sub">
        All {count(selected, "trace")} are in it, so there is no rest to compare with. Choose a
        smaller part, or a longer time.
      </p>
    );
  const ranked = comparison.attributes.filter(({ difference }) => difference >= WORTH_SHOWING);
  const shown = all ? ranked : ranked.slice(0, ATTRIBUTES_FIRST);
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
      {ranked.length === 0 && (
        <p class="sub">Nothing: in every attribute they are like the rest.</p>
      )}
      <ol class="attributes">
        {shown.map((attribute) => (
          <Attribute key={attribute.key} attribute={attribute} onFilter={onFilter} />
        ))}
      </ol>
      {ranked.length > ATTRIBUTES_FIRST && (
        <button type="button" class="as-link" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show ${ranked.length - ATTRIBUTES_FIRST} more`}
        </button>
      )}
    </>
  );
}

interface AttributeProps {
  attribute: ComparedAttribute;
  onFilter: (filter: string) => void;
}

function Attribute({ attribute: { key, values }, onFilter }: AttributeProps) {
  const [all, setAll] = useState(false);
  // What they have comes before what they lack: the former is what one wants to look at.
  const ranked = values.toSorted(
    (one, other) => other.inside - other.outside - (one.inside - one.outside),
  );
  const telling = ranked.filter(
    ({ inside, outside }, index) => index === 0 || Math.abs(inside - outside) >= WORTH_SHOWING,
  );
  const shown = all ? ranked : telling.slice(0, VALUES_FIRST);
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
      title={`${inside_count.toLocaleString("en")} inside, ${outside_count.toLocaleString("en")} of the rest. Click to show only these, with Shift to leave them out.`}
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
          {share(inside)}
          <span class="unseen"> inside, </span>
        </b>
        <span>
          {share(outside)}
          <span class="unseen"> of the rest</span>
        </span>
      </span>
    </button>
  );
}
