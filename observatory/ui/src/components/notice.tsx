/** A message in place of content: empty, loading, missing or unreachable. */
import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  children?: ComponentChildren;
  tone?: "plain" | "bad" | "busy";
  /** The heading level: 1 if the page has no other heading. */
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

/** Says that the Observatory doesn't answer. `stale`: older content is still shown below. */
export function Unreachable({ stale }: { stale: boolean }) {
  if (stale)
    return (
      <p class="banner bad stale" role="alert">
        The Observatory doesn't answer. This is the last data it sent. Retrying every few seconds.
      </p>
    );
  return (
    <Notice title="The Observatory doesn't answer" tone="bad">
      <p>
        To start it together with the app, run this in the project's folder. This page reconnects by
        itself.
      </p>
      <pre>
        <code>./scripts/dev</code>
      </pre>
    </Notice>
  );
}

/** The environment variable that makes an OpenTelemetry SDK send its telemetry here. */
export function ExporterSetting({ port }: { port?: number }) {
  const url = new URL(location.origin);
  if (port !== undefined) url.port = String(port);
  return (
    <pre>
      <code>OTEL_EXPORTER_OTLP_ENDPOINT={url.origin}</code>
    </pre>
  );
}
