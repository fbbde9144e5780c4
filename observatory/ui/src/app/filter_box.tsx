/** The filter box: text entry with suggestions, and the error of an invalid filter. */
import "./filter_box.css";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "../api/client";
import { checkFilter } from "../api/requests";
import { useShortcuts } from "../hooks/shortcuts";
import { markError, traceIn } from "../navigation/filter_syntax";
import { go, tracePath } from "../navigation/route";
import { select } from "../navigation/selection";
import { type Suggestion, useSuggestions } from "./filter_suggestions";

export function FilterBox({ q }: { q: string }) {
  const [typed, setTyped] = useState(q);
  const [caret, setCaret] = useState(q.length);
  const [open, setOpen] = useState(false);
  // Kept by label, because suggestions that arrive later may push it down.
  const [pickedLabel, setPickedLabel] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const suggestions = useSuggestions(typed, caret, open);
  const error = useFilterError(q);
  const shown = open && suggestions.length > 0;
  const active = shown ? suggestions.findIndex(({ label }) => label === pickedLabel) : -1;
  const chosen = suggestions[active];

  // A layout effect: a plain one could run after the next key press and undo it.
  useLayoutEffect(() => {
    setTyped(q);
    setOpen(false);
  }, [q]);
  useEffect(() => {
    if (chosen) document.getElementById(optionId(active))?.scrollIntoView({ block: "nearest" });
  }, [chosen, active]);
  useShortcuts({ "/": () => input.current?.focus() });

  const apply = (text: string) => {
    setOpen(false);
    // A pasted trace id, or the `traceparent` of a document or header, opens that trace.
    const trace = traceIn(text);
    if (trace) {
      setTyped(q);
      go(tracePath(trace.traceId, trace.spanId));
      return;
    }
    if (text.trim() !== q) select({ q: text.trim() });
  };
  const insert = (suggestion: Suggestion) => {
    setPickedLabel(null);
    setTyped(suggestion.text);
    setCaret(suggestion.caret);
    // A complete comparison is applied at once; the reader can go on typing.
    if (suggestion.complete) apply(suggestion.text);
    else setOpen(true);
    if (!input.current) return;
    // Set here rather than on the next render, so that fast typing continues after it.
    input.current.value = suggestion.text;
    input.current.setSelectionRange(suggestion.caret, suggestion.caret);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      const positions = suggestions.length + 1;
      const next = ((active + 1 + step + positions) % positions) - 1;
      setPickedLabel(suggestions[next]?.label ?? null);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (chosen) insert(chosen);
      else apply(typed);
    } else if (event.key === "Tab" && chosen) {
      event.preventDefault();
      insert(chosen);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (shown) setOpen(false);
      else if (typed !== q) setTyped(q);
      else input.current?.blur();
    }
  };

  return (
    <search class="filter">
      <label class="unseen" for="filter">
        Filter traces
      </label>
      <input
        id="filter"
        ref={input}
        type="text"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={shown}
        aria-controls="filter-suggestions"
        aria-activedescendant={chosen ? optionId(active) : undefined}
        aria-invalid={error !== null}
        aria-describedby={error ? "filter-error" : "filter-hint"}
        value={typed}
        placeholder="Filter: duration > 2 s"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        onInput={(event) => {
          const { value, selectionStart } = event.currentTarget;
          setTyped(value);
          setPickedLabel(null);
          setCaret(selectionStart ?? value.length);
          setOpen(true);
          if (value === "") apply("");
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyUp={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
        onClick={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
        onKeyDown={onKeyDown}
      />
      <span id="filter-hint" class="unseen">
        Press Enter to apply the filter, Arrow down for suggestions.
      </span>
      <span class="filter-end">
        {typed.trim() === q ? (
          q === "" && <span class="press">/</span>
        ) : (
          <span class="press">Enter</span>
        )}
        {(typed !== "" || q !== "") && (
          <button
            type="button"
            class="plain"
            aria-label="Clear the filter"
            onClick={() => apply("")}
          >
            ×
          </button>
        )}
      </span>
      <div id="filter-suggestions" role="listbox" aria-label="Suggestions" hidden={!shown}>
        {suggestions.map((suggestion, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input handles the keys
          <div
            key={suggestion.label}
            id={optionId(index)}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            // Otherwise the input would lose the focus, and the list close, before the click.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => insert(suggestion)}
          >
            <code>{suggestion.label}</code>
            <span>{suggestion.hint}</span>
          </div>
        ))}
      </div>
      {error && <FilterError q={q} error={error} />}
    </search>
  );
}

function optionId(index: number): string {
  return `filter-suggestion-${index}`;
}

function FilterError({ q, error }: { q: string; error: ApiFailure }) {
  const [before, marked, after] = markError(q, error.position ?? q.length);
  return (
    <p id="filter-error" class="filter-error" role="alert">
      <code>
        {before}
        <mark>{marked || " "}</mark>
        {after}
      </code>
      {error.message}
      {error.position !== null && (
        <span class="unseen"> The error is at character {error.position + 1}.</span>
      )}
    </p>
  );
}

/** Return the error of the applied filter, or null if it is valid. */
function useFilterError(q: string): ApiFailure | null {
  const [filterError, setFilterError] = useState<ApiFailure | null>(null);
  useEffect(() => {
    setFilterError(null);
    if (q === "") return;
    const abort = new AbortController();
    checkFilter(q, abort.signal).catch((error: unknown) => {
      if (abort.signal.aborted) return;
      if (!(error instanceof ApiFailure)) throw error;
      if (error.kind === "refused") setFilterError(error);
    });
    return () => abort.abort();
  }, [q]);
  return filterError;
}
