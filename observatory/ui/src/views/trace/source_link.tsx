/** Where a span's code is, as a link that opens an editor. */
import { useEffect, useState } from "preact/hooks";
import { fetchHealth } from "../../api/requests";
import type { Editor, SourceLocation } from "../../api/types";
import { Copy, CopyIcon } from "../../components/copy_button";

// Asked once: it is the server's setting, and doesn't change while it runs.
let asked: Promise<Editor | null> | null = null;

export function SourceLine({ source }: { source: SourceLocation }) {
  const [editor, setEditor] = useState<Editor | null>(null);
  useEffect(() => {
    asked ??= fetchHealth(new AbortController().signal).catch(() => null);
    void asked.then(setEditor);
  }, []);
  const text = source.line === null ? source.file : `${source.file}:${source.line}`;
  const address = editor && editorAddress(editor, source);
  return (
    <p class="source">
      {address ? (
        <a href={address} title="Open in your editor">
          {text}
        </a>
      ) : (
        <code>{text}</code>
      )}
      {source.function && <span class="soft"> in {source.function}</span>}
      <Copy text={text} label={`Copy ${text}`} class="small">
        <CopyIcon />
      </Copy>
    </p>
  );
}

/**
 * The address that opens the editor at the line; null where no safe one can be made.
 * The template is the Observatory's setting, such as `vscode://file/{path}:{line}`.
 */
export function editorAddress(editor: Editor, source: SourceLocation): string | null {
  const { source_root: root, editor: template } = editor;
  if (!template) return null;
  const whole = isAbsolute(source.file) ? source.file : root && `${root}/${source.file}`;
  // A span can claim any path: one that climbs out of the project's folder is not followed.
  if (!whole || whole.split(/[\\/]/).includes("..")) return null;
  const path = encodeURI(whole.replaceAll("\\", "/")).replace(/[?#]/g, encodeURIComponent);
  const line = source.line !== null && source.line > 0 ? Math.floor(source.line) : 1;
  const address = template
    .replaceAll("{path}", template.includes("/{path}") ? path.replace(/^\//, "") : path)
    .replaceAll("{line}", String(line));
  return /^(https?|javascript|data|blob):/i.test(address) ? null : address;
}

function isAbsolute(file: string): boolean {
  return /^(\/|[A-Za-z]:[\\/])/.test(file);
}
