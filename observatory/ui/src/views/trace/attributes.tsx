/** Attributes as text: whatever they hold, it is never markup. */
import type { Attributes } from "../../api/types";
import { Copy, CopyIcon } from "../../components/copy_button";
import { quoted } from "../../navigation/filter_syntax";
import { followLink } from "../../navigation/route";
import { Marked } from "./waterfall_row";

// A value longer than this is no filter that anybody reads.
const FILTER_LENGTH = 200;

interface Props {
  attributes: Attributes;
  /** What is looked for in the trace, to be marked. */
  needle?: string;
  /** Whether the overview can be filtered by them: it knows attributes of spans and resources. */
  filters?: boolean;
}

export function AttributeTable({ attributes, needle = "", filters = false }: Props) {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return null;
  return (
    <dl class="properties">
      {names.map((name) => {
        const value = attributes[name] ?? null;
        const text = textOf(value);
        const tall = text.includes("\n");
        return (
          <div key={name} class={tall ? "tall" : ""}>
            <dt>
              <Marked text={name} needle={needle} />
            </dt>
            <dd>
              {tall ? (
                // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it
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
              <Copy text={text} label={`Copy ${name}`} class="small">
                <CopyIcon />
              </Copy>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** The overview of all traces that share an attribute's value: of any age, as this one may be. */
export function filterPath(key: string, value: string | number | boolean): string {
  return `/?${new URLSearchParams({ q: `${key} = ${quoted(String(value))}`, last: "all" })}`;
}

function isFilterable(value: unknown): value is string | number | boolean {
  if (typeof value === "string") return value.length <= FILTER_LENGTH;
  return typeof value === "number" || typeof value === "boolean";
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const line = JSON.stringify(value);
  return line.length <= 60 ? line : JSON.stringify(value, null, 2);
}

function FilterIcon() {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" class="glyph">
      <path d="M2.5 3.5h11l-4.2 5v4l-2.6 1.3V8.5z" />
    </svg>
  );
}
