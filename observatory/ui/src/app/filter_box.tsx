/** The box that says which traces to show, with suggestions, and what is wrong with it. */
import "./filter_box.css";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "../api/client";
import { checkFilter } from "../api/requests";
import { useShortcuts } from "../hooks/shortcuts";
import { traceIn, wrongPart } from "../navigation/filter_syntax";
import { go, tracePath } from "../navigation/route";
import { select } from "../navigation/selection";
import { type Suggestion, useSuggestions } from "./filter_suggestions";

export function FilterBox({ q }: { q: string }) {
  const [typed, setTyped] = useState(q);
  const [caret, setCaret] = useState(q.length);
  const [open, setOpen] = useState(false);
  // By its label: others may come above it while one reads.
  const [picked, setPicked] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const suggestions = useSuggestions(typed, caret, open);
  const problem = useProblem(q);
  const shown = open && suggestions.length > 0;
  const active = shown ? suggestions.findIndex(({ label }) => label === picked) : -1;
  const chosen = suggestions[active];

  // At once: an effect would come after the next key, and undo it.
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
    // Whoever brings an id, or the `traceparent` of a document or a header, wants that trace.
    const trace = traceIn(text);
    if (trace) {
      setTyped(q);
      go(tracePath(trace.traceId, trace.spanId));
      return;
    }
    if (text.trim() !== q) select({ q: text.trim() });
  };
  const take = (suggestion: Suggestion) => {
    setPicked(null);
    setTyped(suggestion.text);
    setCaret(suggestion.caret);
    // What it asks for is seen at once; whoever wants more types on.
    if (suggestion.whole) apply(suggestion.text);
    else setOpen(true);
    if (!input.current) return;
    // At once, so that a quick hand types on behind it.
    input.current.value = suggestion.text;
    input.current.setSelectionRange(suggestion.caret, suggestion.caret);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      const places = suggestions.length + 1;
      const next = ((active + 1 + step + places) % places) - 1;
      setPicked(suggestions[next]?.label ?? null);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (chosen) take(chosen);
      else apply(typed);
    } else if (event.key === "Tab" && chosen) {
      event.preventDefault();
      take(chosen);
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
        aria-invalid={problem !== null}
        aria-describedby={problem ? "filter-problem" : "filter-hint"}
        value={typed}
        placeholder="Filter: duration > 2 s"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        onInput={(event) => {
          const { value, selectionStart } = event.currentTarget;
          setTyped(value);
          setPicked(null);
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
        Enter applies it. Arrow down goes through suggestions.
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
          // biome-ignore lint/a11y/useKeyWithClickEvents: the box has the keys
          <div
            key={suggestion.label}
            id={optionId(index)}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            // The box would lose the focus, and close, before the click.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => take(suggestion)}
          >
            <code>{suggestion.label}</code>
            <span>{suggestion.hint}</span>
          </div>
        ))}
      </div>
      {problem && <Problem q={q} problem={problem} />}
    </search>
  );
}

function optionId(index: number): string {
  return `filter-suggestion-${index}`;
}

function Problem({ q, problem }: { q: string; problem: ApiFailure }) {
  const [before, wrong, after] = wrongPart(q, problem.position ?? q.length);
  return (
    <p id="filter-problem" class="filter-problem" role="alert">
      <code>
        {before}
        <mark>{wrong || " "}</mark>
        {after}
      </code>
      {problem.message}
      {problem.position !== null && (
        <span class="unseen"> That is at character {problem.position + 1}.</span>
      )}
    </p>
  );
}

/** Why the filter that is applied can't be read, if so. */
function useProblem(q: string): ApiFailure | null {
  const [problem, setProblem] = useState<ApiFailure | null>(null);
  useEffect(() => {
    setProblem(null);
    if (q === "") return;
    const abort = new AbortController();
    checkFilter(q, abort.signal).catch((error: unknown) => {
      if (abort.signal.aborted) return;
      if (!(error instanceof ApiFailure)) throw error;
      if (error.kind === "refused") setProblem(error);
    });
    return () => abort.abort();
  }, [q]);
  return problem;
}
