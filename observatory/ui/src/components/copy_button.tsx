/** A button that copies text to the clipboard. */
import "./copy_button.css";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

const MESSAGE_MS = 1_500;

interface Props {
  text: string | (() => string);
  label: string;
  class?: string;
  children: ComponentChildren;
}

export function CopyButton({ text, label, class: class_ = "", children }: Props) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = window.setTimeout(() => setDone(false), MESSAGE_MS);
    return () => window.clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    await toClipboard(typeof text === "string" ? text : text());
    setDone(true);
  };
  return (
    <button type="button" class={`copy ${class_}`} aria-label={label} title={label} onClick={copy}>
      {children}
      <span class="copied" role="status">
        {done ? "copied" : ""}
      </span>
    </button>
  );
}

/** Write to the clipboard; over plain HTTP from another machine only the deprecated command works. */
async function toClipboard(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

export function CopyIcon() {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" class="glyph">
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M10.5 3.5v-.2A1.3 1.3 0 0 0 9.2 2H3.8A1.3 1.3 0 0 0 2.5 3.3v5.9c0 .7.6 1.3 1.3 1.3h.2" />
    </svg>
  );
}
