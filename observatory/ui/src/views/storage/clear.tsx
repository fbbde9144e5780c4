/** Deleting everything, after a typed confirmation. */
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "../../api/client";
import { clearAll } from "../../api/requests";
import type { Stored } from "../../api/types";
import { count } from "../../format";

const CONFIRMATION = "clear";

export function Clear({ stored }: { stored: Stored }) {
  const [open, setOpen] = useState(false);
  const [done, setDone] = useState(false);
  const isEmpty = stored.spans + stored.logs + stored.metrics === 0;
  return (
    <section class="panel storage-panel" aria-labelledby="clear-title">
      <h2 id="clear-title">Clear</h2>
      <p>
        Delete all traces, log lines and metrics. This can't be undone: first export what you want
        to keep.
      </p>
      <p>
        <button type="button" class="destructive" disabled={isEmpty} onClick={() => setOpen(true)}>
          Clear everything…
        </button>{" "}
        <span role="status">{done && isEmpty ? "Everything was deleted." : ""}</span>
      </p>
      {open && (
        <Confirm
          stored={stored}
          onClose={(cleared) => {
            setOpen(false);
            setDone(cleared);
          }}
        />
      )}
    </section>
  );
}

function Confirm({ stored, onClose }: { stored: Stored; onClose: (cleared: boolean) => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [clearing, setClearing] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | null>(null);
  const cleared = useRef(false);
  const id = useId();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const clear = async () => {
    setClearing(true);
    try {
      await clearAll();
      cleared.current = true;
      dialog.current?.close();
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      setFailure(error);
      setClearing(false);
    }
  };
  return (
    <dialog
      class="confirm"
      ref={dialog}
      aria-labelledby={`${id}-title`}
      onClose={() => onClose(cleared.current)}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim() === CONFIRMATION && !clearing) void clear();
        }}
      >
        <h2 id={`${id}-title`}>Clear everything?</h2>
        <p>
          {count(stored.traces, "trace")}, {count(stored.spans, "span")},{" "}
          {count(stored.logs, "log line")} and {count(stored.metrics, "metric point")} will be
          deleted.
        </p>
        <label for={`${id}-word`}>
          Type <kbd>{CONFIRMATION}</kbd> to confirm
        </label>
        <input
          id={`${id}-word`}
          value={typed}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        {failure && (
          <p class="bad" role="alert">
            {failure.message}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="submit"
            class="destructive"
            disabled={typed.trim() !== CONFIRMATION || clearing}
          >
            {clearing ? "Clearing…" : "Clear everything"}
          </button>
        </div>
      </form>
    </dialog>
  );
}
