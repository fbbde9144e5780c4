/** A decision of the security rules: what it was, and the lines around the one that decided. */
import "./rules_decision.css";
import type { Attributes } from "../../api/types";
import { Section } from "./section";

const EXCERPT = "throughline.rules.excerpt";
const SAID: Record<string, string> = { allow: "Allowed", deny: "Denied", error: "Denied" };
const GROUND: Record<string, string> = {
  expression: "the marked line said no",
  statement: "the marked rule decided",
  nothing: "no rule covers it",
};

/** Attributes without those that `Rules` shows better. */
export function withoutExcerpt(attributes: Attributes): Attributes {
  const { [EXCERPT]: _, ...rest } = attributes;
  return rest;
}

export function Rules({ attributes }: { attributes: Attributes }) {
  const said = SAID[text(attributes["throughline.rules.outcome"])];
  if (said === undefined) return null;
  const failed = attributes["throughline.rules.outcome"] === "error";
  const ground = GROUND[text(attributes["throughline.rules.decided_by"])];
  const lines = text(attributes[EXCERPT]).split("\n");
  return (
    <Section title="Rules">
      <p class="decision">
        <b class={said === "Allowed" ? "good" : "bad"}>{said}</b>
        {ground && `: ${failed ? "the marked line could not be evaluated" : ground}`}
      </p>
      {lines.length > 1 && (
        <pre class="rules-lines">
          {lines.map((line) => (
            <span key={line} class={line.startsWith(">") ? "deciding" : ""}>
              {line}
              {"\n"}
            </span>
          ))}
        </pre>
      )}
    </Section>
  );
}

function text(value: Attributes[string] | undefined): string {
  return typeof value === "string" ? value : "";
}
