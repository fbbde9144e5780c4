/** A button that copies a link to what the page shows now. */
import { useEffect, useState } from "preact/hooks";
import { useShortcuts } from "../hooks/shortcuts";
import { address, paused, type Selection, withSelection } from "../navigation/selection";

const MESSAGE_MS = 2_000;

interface Props {
  path: string;
  query: URLSearchParams;
  /** The view's selection, null if it has none. The link fixes a time range that moves. */
  selection: Selection | null;
}

export function CopyLink({ path, query, selection }: Props) {
  const [message, setMessage] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setMessage(""), MESSAGE_MS);
    return () => clearTimeout(timer);
  }, [message]);
  const copy = async () => {
    const range = selection && paused(selection.range, Date.now());
    const fixed = selection && range ? withSelection(query, { ...selection, range }) : query;
    try {
      await navigator.clipboard.writeText(location.origin + address(path, fixed));
      setMessage("Link copied");
    } catch {
      setMessage("Not copied: no access to the clipboard");
    }
  };
  useShortcuts({ c: () => void copy() });
  return (
    <>
      <button
        type="button"
        class="icon"
        aria-label="Copy a link to this view"
        title="Copy a link to exactly what is shown now (c)"
        onClick={() => void copy()}
      >
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path
            class="stroke"
            d="M6.5 9.5l3-3M7 4.5l1.8-1.8a3.2 3.2 0 0 1 4.5 4.5L11.5 9M9 11.5l-1.8 1.8a3.2 3.2 0 0 1-4.5-4.5L4.5 7"
          />
        </svg>
      </button>
      <span class="link-message" role="status" hidden={message === ""}>
        {message}
      </span>
    </>
  );
}
