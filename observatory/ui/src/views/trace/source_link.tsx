/** The source location of a span, as a link that opens an editor. */
import { useEffect, useState } from "preact/hooks";
import { fetchHealth } from "../../api/requests";
import type { Editor, SourceLocation } from "../../api/types";
import { CopyButton, CopyIcon } from "../../components/copy_button";

// Requested once: the setting does not change while the server runs.
let editorRequest: Promise<Editor | null> | null = null;

export function SourceLine({ source }: { source: SourceLocation }) {
  const [editor, setEditor] = useState<Editor | null>(null);
  useEffect(() => {
    editorRequest ??= fetchHealth(new AbortController().signal).catch(() => null);
    void editorRequest.then(setEditor);
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
      <CopyButton text={text} label={`Copy ${text}`} class="small">
        <CopyIcon />
      </CopyButton>
    </p>
  );
}

/**
 * Return the address that opens the editor at a line, or null if no editor is set, the file is
 * outside of the project's folder, or the address would be one that a browser opens itself.
 *
 * The template is a setting of the Observatory, such as `vscode://file/{path}:{line}`.
 */
export function editorAddress(editor: Editor, source: SourceLocation): string | null {
  const { source_root: root, editor: template } = editor;
  if (!template) return null;
  const whole = isAbsolute(source.file) ? source.file : root && `${root}/${source.file}`;
  // Spans can name any path; reject paths that leave the project's folder.
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
