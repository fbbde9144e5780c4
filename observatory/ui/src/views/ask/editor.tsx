/** Where a question is written: a text field that knows Tab and Ctrl+Enter. */
import type { RefObject } from "preact";
import { useRef } from "preact/hooks";

const INDENT = "  ";

interface Props {
  sql: string;
  container: RefObject<HTMLTextAreaElement | null>;
  wrong: boolean;
  onInput: (sql: string) => void;
  onRun: () => void;
}

export function Editor({ sql, container, wrong, onInput, onRun }: Props) {
  // Esc gives Tab its usual meaning back, so that the keyboard can leave.
  const leaving = useRef(false);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onRun();
    } else if (event.key === "Escape") {
      leaving.current = true;
    } else if (event.key === "Tab" && !leaving.current && !event.altKey && !event.ctrlKey) {
      event.preventDefault();
      if (event.shiftKey) outdent(event.currentTarget as HTMLTextAreaElement);
      else typeText(INDENT);
    } else if (event.key !== "Shift" && event.key !== "Tab") {
      leaving.current = false;
    }
  };
  return (
    <>
      <label class="unseen" for="sql">
        Question in SQL
      </label>
      <textarea
        id="sql"
        ref={container}
        class="sql"
        value={sql}
        rows={6}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        aria-describedby="sql-keys"
        aria-invalid={wrong}
        placeholder="SELECT … FROM spans"
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onBlur={() => {
          leaving.current = false;
        }}
      />
      <p class="unseen" id="sql-keys">
        Control and Enter runs it. Tab indents; Escape, then Tab, leaves.
      </p>
    </>
  );
}

/** Types at the caret of the field that has the focus, so that undo takes it back. */
export function typeText(text: string): void {
  // Deprecated, and the only way that keeps a field's undo.
  document.execCommand("insertText", false, text);
}

function outdent(field: HTMLTextAreaElement): void {
  const start = field.value.lastIndexOf("\n", field.selectionStart - 1) + 1;
  if (!field.value.startsWith(INDENT, start)) return;
  const caret = field.selectionStart;
  field.setSelectionRange(start, start + INDENT.length);
  document.execCommand("delete");
  const back = Math.max(start, caret - INDENT.length);
  field.setSelectionRange(back, back);
}
