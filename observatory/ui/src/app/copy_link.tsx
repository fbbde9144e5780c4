/** Copies an address that shows exactly this, also later. */
import { useEffect, useState } from "preact/hooks";
import { useShortcuts } from "../hooks/shortcuts";
import { address, paused, type Selection, withSelection } from "../navigation/selection";

const SAID_MS = 2_000;

interface Props {
  path: string;
  query: URLSearchParams;
  /** What the view has selected, if it selects; a range that moves is held still in the link. */
  selection: Selection | null;
}

export function CopyLink({ path, query, selection }: Props) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSaid(""), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    const range = selection && paused(selection.range, Date.now());
    const still = selection && range ? withSelection(query, { ...selection, range }) : query;
    try {
      await navigator.clipboard.writeText(location.origin + address(path, still));
      setSaid("Link copied");
    } catch {
      setSaid("Not allowed here");
    }
  };
  useShortcuts({ c: () => void copy() });
  return (
    <>
      <button
        type="button"
        class="icon"
        aria-label="Copy a link to this"
        title="Copy a link that shows exactly this, also lazy (c)"
        onClick={() => void copy()}
      >
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path
            class="stroke"
            d="M6.5 9.5l3-3M7 4.5l1.8-1.8a3.2 3.2 0 0 1 4.5 4.5L11.5 9M9 11.5l-1.8 1.8a3.2 3.2 0 0 1-4.5-4.5L4.5 7"
          />
        </svg>
      </button>
      <span class="said" role="status" hidden={said === ""}>
        {said}
      </span>
    </>
  );
}
