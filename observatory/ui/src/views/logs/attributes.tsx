/** The attributes of a log line, always rendered as text, never as markup. */
import type { Attributes } from "../../api/types";

const LINE_LENGTH = 80;

export function AttributeList({ attributes }: { attributes: Attributes }) {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return null;
  return (
    <dl class="log-attributes">
      {names.map((name) => {
        const text = textOf(attributes[name] ?? null);
        return (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text.includes("\n") ? <pre>{text}</pre> : text}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const line = JSON.stringify(value);
  return line.length <= LINE_LENGTH ? line : JSON.stringify(value, null, 2);
}
