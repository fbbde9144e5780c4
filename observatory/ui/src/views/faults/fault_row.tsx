/** One fault: what it is, how it is provoked, and its switch or the page that has it. */
import { useId } from "preact/hooks";
import type { Fault } from "../../api/types";
import { Copy, CopyIcon } from "../../components/copy_button";

interface Props {
  fault: Fault;
  /** What it is on its way to be, if it is. */
  turning: boolean | undefined;
  /** Why it was not turned the last time, if somebody tried. */
  refused: string | null;
  onTurn: (on: boolean) => void;
}

export function FaultRow({ fault, turning, refused, onTurn }: Props) {
  const id = useId();
  return (
    <li class={`fault panel ${fault.on ? "on" : ""}`}>
      <h2 id={id}>
        <code>{fault.name}</code>
      </h2>
      <div class="fault-turn">
        {fault.link === null ? (
          <Switch fault={fault} turning={turning} id={id} onTurn={onTurn} />
        ) : (
          <a class="as-button" href={fault.link} target="_blank" rel="noreferrer">
            Open the page<span class="unseen"> with {fault.name} on, in a new tab</span>
          </a>
        )}
      </div>
      {refused !== null && (
        <p class="banner bad fault-refused" role="alert">
          {refused} Nothing was turned.
        </p>
      )}
      <div class="fault-said">
        <p class="fault-where">
          <span class="chip">{fault.kind}</span> in <code>{fault.where}</code>
        </p>
        <p id={`${id}-summary`}>{sentence(fault.summary)}</p>
        {fault.link !== null && (
          <p class="sub">It has no flag: it is on in the page that is opened so, and only there.</p>
        )}
        {fault.scenarios.map((scenario) => (
          <Provoke key={scenario} command={`./scripts/scenario run ${scenario}`} />
        ))}
      </div>
    </li>
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function Switch({ fault, turning, id, onTurn }: Omit<Props, "refused"> & { id: string }) {
  const on = fault.on !== null && (turning ?? fault.on);
  return (
    <button
      type="button"
      class="switch"
      role="switch"
      aria-checked={on}
      aria-labelledby={id}
      aria-describedby={`${id}-summary`}
      disabled={fault.on === null}
      aria-busy={turning !== undefined}
      onClick={() => turning === undefined && onTurn(!on)}
    >
      <span class="track" aria-hidden="true">
        <span class="knob" />
      </span>
      <span aria-hidden="true">{fault.on === null ? "?" : on ? "on" : "off"}</span>
    </button>
  );
}

function Provoke({ command }: { command: string }) {
  return (
    <p class="provoke">
      <code>{command}</code>
      <Copy text={command} label={`Copy ${command}`} class="small">
        <CopyIcon />
      </Copy>
    </p>
  );
}
