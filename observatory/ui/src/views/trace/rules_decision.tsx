/** A decision of the security rules, with an excerpt around the line that decided. */
import "./rules_decision.css";
import type { Attributes } from "../../api/types";
import { textOrEmpty } from "../../format";
import { Section } from "./section";

const EXCERPT = "throughline.rules.excerpt";
const DECISIONS: Record<string, string> = { allow: "Allowed", deny: "Denied", error: "Denied" };
const REASONS: Record<string, string> = {
  expression: "the marked line is false",
  statement: "the marked rule decided",
  nothing: "no rule matches",
};

/** Return attributes without the excerpt, which `Rules` shows. */
export function withoutExcerpt(attributes: Attributes): Attributes {
  const { [EXCERPT]: _, ...rest } = attributes;
  return rest;
}

export function Rules({ attributes }: { attributes: Attributes }) {
  const decision = DECISIONS[textOrEmpty(attributes["throughline.rules.outcome"])];
  if (decision === undefined) return null;
  const failed = attributes["throughline.rules.outcome"] === "error";
  const reason = REASONS[textOrEmpty(attributes["throughline.rules.decided_by"])];
  const lines = textOrEmpty(attributes[EXCERPT]).split("\n");
  return (
    <Section title="Rules">
      <p class="decision">
        <b class={decision === "Allowed" ? "good" : "bad"}>{decision}</b>
        {reason && `: ${failed ? "the marked line could not be evaluated" : reason}`}
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
