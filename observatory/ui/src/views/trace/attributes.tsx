/** A table of attributes, always rendered as text, never as markup, with copy and filter buttons. */
import type { Attributes } from "../../api/types";
import { CopyButton, CopyIcon } from "../../components/copy_button";
import { attributeText } from "../../format";
import { quoted } from "../../navigation/filter_syntax";
import { followLink } from "../../navigation/route";
import { Marked } from "./waterfall_row";

// Lists and structs longer than this are shown over several lines.
const LINE_LENGTH = 60;
// Longer values make unreadable filters.
const FILTER_LENGTH = 200;

interface Props {
  attributes: Attributes;
  /** The search text to highlight. */
  needle?: string;
  /** Whether to offer filter links: filters cover attributes of spans and resources only. */
  filters?: boolean;
}

export function AttributeTable({ attributes, needle = "", filters = false }: Props) {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return null;
  return (
    <dl class="properties">
      {names.map((name) => {
        const value = attributes[name] ?? null;
        const text = attributeText(value, LINE_LENGTH);
        const tall = text.includes("\n");
        return (
          <div key={name} class={tall ? "tall" : ""}>
            <dt>
              <Marked text={name} needle={needle} />
            </dt>
            <dd>
              {tall ? (
                // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be reachable by keyboard
                <pre tabIndex={0}>
                  <Marked text={text} needle={needle} />
                </pre>
              ) : (
                <Marked text={text} needle={needle} />
              )}
            </dd>
            <dd class="value-tools">
              {filters && isFilterable(value) && (
                <a
                  href={filterPath(name, value)}
                  onClick={followLink}
                  aria-label={`Traces with ${name} = ${text.slice(0, 60)}`}
                  title="Show traces with this value"
                >
                  <FilterIcon />
                </a>
              )}
              <CopyButton text={text} label={`Copy ${name}`} class="small">
                <CopyIcon />
              </CopyButton>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** Return the address of the overview filtered by an attribute, over all time. */
export function filterPath(key: string, value: string | number | boolean): string {
  return `/?${new URLSearchParams({ q: `${key} = ${quoted(String(value))}`, last: "all" })}`;
}

function isFilterable(value: unknown): value is string | number | boolean {
  if (typeof value === "string") return value.length <= FILTER_LENGTH;
  return typeof value === "number" || typeof value === "boolean";
}

function FilterIcon() {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" class="glyph">
      <path d="M2.5 3.5h11l-4.2 5v4l-2.6 1.3V8.5z" />
    </svg>
  );
}
