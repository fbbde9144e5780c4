/** One fault: its description, the command that provokes it, and a switch or a link to turn it on. */
import { useId } from "preact/hooks";
import type { Fault } from "../../api/types";
import { CopyButton, CopyIcon } from "../../components/copy_button";

interface Props {
  fault: Fault;
  /** The requested state while a change is pending. */
  pending: boolean | undefined;
  /** Why the last change of this fault failed, if it did. */
  rejection: string | null;
  onSwitch: (on: boolean) => void;
}

export function FaultRow({ fault, pending, rejection, onSwitch }: Props) {
  const id = useId();
  return (
    <li class={`fault panel ${fault.on ? "on" : ""}`}>
      <h2 id={id}>
        <code>{fault.name}</code>
      </h2>
      <div class="fault-switch">
        {fault.link === null ? (
          <Switch fault={fault} pending={pending} id={id} onSwitch={onSwitch} />
        ) : (
          <a class="as-button" href={fault.link} target="_blank" rel="noreferrer">
            Open the page<span class="unseen"> with {fault.name} on, in a new tab</span>
          </a>
        )}
      </div>
      {rejection !== null && (
        <p class="banner bad fault-rejection" role="alert">
          {rejection} The fault was not changed.
        </p>
      )}
      <div class="fault-text">
        <p class="fault-where">
          <span class="chip">{fault.kind}</span> in <code>{fault.where}</code>
        </p>
        <p id={`${id}-summary`}>{sentence(fault.summary)}</p>
        {fault.link !== null && (
          <p class="sub">This fault has no flag: it is on only in the page that this link opens.</p>
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

function Switch({ fault, pending, id, onSwitch }: Omit<Props, "rejection"> & { id: string }) {
  const on = fault.on !== null && (pending ?? fault.on);
  return (
    <button
      type="button"
      class="switch"
      role="switch"
      aria-checked={on}
      aria-labelledby={id}
      aria-describedby={`${id}-summary`}
      disabled={fault.on === null}
      aria-busy={pending !== undefined}
      onClick={() => pending === undefined && onSwitch(!on)}
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
      <CopyButton text={command} label={`Copy ${command}`} class="small">
        <CopyIcon />
      </CopyButton>
    </p>
  );
}
