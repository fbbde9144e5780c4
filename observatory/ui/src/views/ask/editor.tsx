/** The query's text field: Tab indents, Ctrl+Enter runs. */
import type { RefObject } from "preact";
import { useRef } from "preact/hooks";

const INDENT = "  ";

interface Props {
  sql: string;
  field: RefObject<HTMLTextAreaElement | null>;
  invalid: boolean;
  onInput: (sql: string) => void;
  onRun: () => void;
}

export function Editor({ sql, field, invalid, onInput, onRun }: Props) {
  // After Escape, Tab moves the focus as usual, so that the keyboard can leave the field.
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
        SQL query
      </label>
      <textarea
        id="sql"
        ref={field}
        class="sql"
        value={sql}
        rows={6}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        aria-describedby="sql-keys"
        aria-invalid={invalid}
        placeholder="SELECT … FROM spans"
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onBlur={() => {
          leaving.current = false;
        }}
      />
      <p class="unseen" id="sql-keys">
        Control+Enter runs the query. Tab indents; press Escape, then Tab, to leave the field.
      </p>
    </>
  );
}

/** Insert text at the caret of the focused field, in a way that undo can revert. */
export function typeText(text: string): void {
  // Deprecated, but the only way that keeps the field's undo history.
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
