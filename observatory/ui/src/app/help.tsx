/** Help: how to investigate, and the keyboard shortcuts. */
import "./help.css";
import { useRef, useState } from "preact/hooks";
import { SHORTCUTS, singleKeys, useShortcuts } from "../hooks/shortcuts";

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [keys, setKeys] = useState(singleKeys.get);
  const choose = (chosen: "on" | "off") => {
    // Not in an effect: the next key press may come before the next paint.
    singleKeys.set(chosen);
    setKeys(chosen);
  };
  const open = () => dialog.current?.showModal();
  useShortcuts({ "?": open });
  return (
    <>
      <button type="button" class="icon" aria-label="Help" title="Help (?)" onClick={open}>
        ?
      </button>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself */}
      <dialog
        ref={dialog}
        class="help panel"
        aria-labelledby="help-title"
        onClick={(event) => {
          // A click on the backdrop targets the dialog itself, not its contents.
          if (event.target === event.currentTarget) dialog.current?.close();
        }}
      >
        <div>
          <div class="help-head">
            <h2 id="help-title">How to find out what went wrong</h2>
            <button
              type="button"
              class="icon"
              aria-label="Close"
              onClick={() => dialog.current?.close()}
            >
              ×
            </button>
          </div>
          <ol>
            <li>
              <b>Spot something odd.</b> Each cell of the heatmap counts traces: the higher the
              cell, the slower they were. Red marks errors.
            </li>
            <li>
              <b>Ask why.</b> Drag a box around the odd traces. The attributes that set them apart
              from the rest are listed beside the heatmap. Click a bar to show only those traces.
            </li>
            <li>
              <b>Open one.</b> The list below the heatmap shows the same traces. Each trace shows
              what every service did, when, and where the work waited.
            </li>
            <li>
              <b>Compare it</b> with a good one: select two traces in the list.
            </li>
          </ol>
          <p>
            The page's address contains the whole view. Press <kbd>c</kbd> to copy a link to it, for
            example for a bug report.
          </p>
          <div class="keys">
            {SHORTCUTS.map(({ where, keys }) => (
              <section key={where}>
                <h3>{where}</h3>
                <dl>
                  {keys.map(([keyNames, action]) => (
                    <div key={action}>
                      <dt>
                        {keyNames.map((key) => (
                          <kbd key={key}>{key}</kbd>
                        ))}
                      </dt>
                      <dd>{action}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            ))}
          </div>
          <label>
            <input
              type="checkbox"
              checked={keys === "on"}
              onChange={(event) => choose(event.currentTarget.checked ? "on" : "off")}
            />
            Enable single-key shortcuts
          </label>
        </div>
      </dialog>
    </>
  );
}
