import type { ComponentChildren } from "preact";

interface Props {
  tone?: "quiet" | "bad";
  title: string;
  children?: ComponentChildren;
  /** Interrupts a screen reader; for what went wrong just now. */
  urgent?: boolean;
}

/** A short text in place of what cannot be shown, with what to do about it. */
export function Notice({ tone = "quiet", title, children, urgent = false }: Props) {
  return (
    <div class={`notice panel ${tone}`} role={urgent ? "alert" : undefined}>
      <p class="notice-title">{title}</p>
      {children}
    </div>
  );
}
