/** The attributes of a log line, always rendered as text, never as markup. */
import type { Attributes } from "../../api/types";
import { attributeText } from "../../format";

const LINE_LENGTH = 80;

export function AttributeList({ attributes }: { attributes: Attributes }) {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return null;
  return (
    <dl class="log-attributes">
      {names.map((name) => {
        const text = attributeText(attributes[name] ?? null, LINE_LENGTH);
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
