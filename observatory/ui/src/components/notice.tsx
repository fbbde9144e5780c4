/** A message in place of content: empty, loading, missing, unreachable. */
import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  children?: ComponentChildren;
  tone?: "plain" | "bad" | "busy";
  /** 1 where the page has no other heading. */
  level?: 1 | 2;
}

export function Notice({ title, children, tone = "plain", level = 2 }: Props) {
  const Heading = `h${level}` as const;
  return (
    <section class={`notice panel ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      {tone === "busy" && <span class="pulse" aria-hidden="true" />}
      <Heading>{title}</Heading>
      {children}
    </section>
  );
}

/** The Observatory doesn't answer. With `stale`, something older is still shown below. */
export function Unreachable({ stale }: { stale: boolean }) {
  if (stale)
    return (
      <p class="banner bad stale" role="alert">
        The Observatory doesn't answer. This is what was last seen; it is asked again every few
        seconds.
      </p>
    );
  return (
    <Notice title="The Observatory doesn't answer" tone="bad">
      <p>
        Start it, with everything else, in the project's folder. This page notices by itself once it
        runs.
      </p>
      <pre>
        <code>./scripts/dev</code>
      </pre>
    </Notice>
  );
}
