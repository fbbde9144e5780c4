import "./dialog.css";
import type { ComponentChildren, RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

interface Props {
  /** Closing it gives the focus back to what had it before. */
  dialog: RefObject<HTMLDialogElement | null>;
  /** The id of the heading that names the dialog. */
  labelledBy: string;
  describedBy?: string;
  size?: "normal" | "small";
  onClose: () => void;
  children: ComponentChildren;
}

/** A modal dialog, open for as long as it is mounted. Escape closes it. */
export function Dialog({ dialog, labelledBy, describedBy, size, onClose, children }: Props) {
  // Before anything is painted, so that no key goes to the page behind it.
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, [dialog]);
  return (
    <dialog
      ref={dialog}
      class={size === "small" ? "sheet small-sheet" : "sheet"}
      aria-labelledby={labelledBy}
      aria-describedby={describedBy}
      onClose={onClose}
    >
      {children}
    </dialog>
  );
}

/** The ✕ in a dialog's corner. */
export function CloseButton({ dialog }: Pick<Props, "dialog">) {
  return (
    <button
      type="button"
      class="button round"
      aria-label="Close"
      onClick={() => dialog.current?.close()}
    >
      ✕
    </button>
  );
}
