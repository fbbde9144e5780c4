/** Attributes as text: whatever they hold, it is never markup. */
import type { Attributes, Value } from "../api";

export function Properties({ attributes }: { attributes: Attributes }) {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return null;
  return (
    <dl class="properties">
      {names.map((name) => {
        const text = textOf(attributes[name] ?? null);
        return (
          <div key={name} class={text.includes("\n") ? "tall" : ""}>
            <dt>{name}</dt>
            <dd>{text.includes("\n") ? <pre>{text}</pre> : text}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function textOf(value: Value): string {
  if (typeof value === "string") return value;
  const line = JSON.stringify(value);
  return line.length <= 60 ? line : JSON.stringify(value, null, 2);
}
