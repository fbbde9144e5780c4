/** What to do here, and the keys. */
import "./help.css";
import { useRef, useState } from "preact/hooks";
import { SHORTCUTS, singleKeys, useShortcuts } from "../hooks/shortcuts";

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [keys, setKeys] = useState(singleKeys.get);
  const choose = (chosen: "on" | "off") => {
    // Now, and not in an effect: the next key may come before the next paint.
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
          // The backdrop is the dialog itself; what is in it is not.
          if (event.target === event.currentTarget) dialog.current?.close();
        }}
      >
        <div>
          <div class="help-head">
            <h2 id="help-title">How to find out what is wrong</h2>
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
              <b>See that something is odd.</b> Each cell of the heatmap is a count of traces: the
              higher, the slower. Red marks errors.
            </li>
            <li>
              <b>Ask why.</b> Drag a box around the odd ones. What they have in common, and the rest
              has not, is listed beside it. Click a bar to look at those only.
            </li>
            <li>
              <b>Open one.</b> The list has the same traces. One trace shows who did what, when, and
              where it waited.
            </li>
            <li>
              <b>Compare</b> it with a good one: choose two in the list.
            </li>
          </ol>
          <p>
            The address names all of what you see. Press <kbd>c</kbd> to copy it into a bug report.
          </p>
          <div class="keys">
            {SHORTCUTS.map(({ where, keys }) => (
              <section key={where}>
                <h3>{where}</h3>
                <dl>
                  {keys.map(([pressed, does]) => (
                    <div key={does}>
                      <dt>
                        {pressed.map((key) => (
                          <kbd key={key}>{key}</kbd>
                        ))}
                      </dt>
                      <dd>{does}</dd>
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
            Single keys work everywhere
          </label>
        </div>
      </dialog>
    </>
  );
}
