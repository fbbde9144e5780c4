/** The Faults view: the app's intentional bugs, each with a switch. */
import "./faults.css";
import { useState } from "preact/hooks";
import { ApiFailure } from "../../api/client";
import { setFault, turnAllFaultsOff } from "../../api/requests";
import type { Faults } from "../../api/types";
import { ErrorState } from "../../components/error_state";
import { count } from "../../format";
import { useTitle } from "../../hooks/document_title";
import type { FaultFlags } from "../../hooks/fault_flags";
import { NoFaults, NotConnected } from "./empty_state";
import { FaultRow } from "./fault_row";

/** Changes that have been sent: the requested state by fault name. */
type Pending = Readonly<Record<string, boolean>>;

/** Why the last change failed; `name` is null if it was to turn all faults off. */
interface Rejected {
  name: string | null;
  message: string;
}

export function FaultsView({ faultFlags }: { faultFlags: FaultFlags }) {
  const { answer, update } = faultFlags;
  const [pending, setPending] = useState<Pending>({});
  const [rejected, setRejected] = useState<Rejected | null>(null);
  useTitle("Faults");
  const change = async (name: string | null, on: boolean, send: () => Promise<Faults>) => {
    const names = name === null ? namesOfFaultsOn(answer) : [name];
    setPending((before) => ({ ...before, ...Object.fromEntries(names.map((name) => [name, on])) }));
    setRejected(null);
    try {
      update(await send());
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      setRejected({ name, message: error.message });
    } finally {
      setPending((before) =>
        Object.fromEntries(Object.entries(before).filter(([name]) => !names.includes(name))),
      );
    }
  };
  return (
    <>
      <div class="faults-head">
        <h1>Faults</h1>
        <p>
          Faults are bugs on purpose. While its switch is on, a fault makes the app take one wrong
          decision. Turn one on, use the app, and look for the effect in the traces.
        </p>
      </div>
      <ErrorState
        request={faultFlags}
        loading="Loading the faults…"
        refused="The faults can't be shown"
      />
      {answer?.connected === false && <NotConnected />}
      {answer?.connected && answer.faults.length === 0 && <NoFaults />}
      {answer?.connected && answer.faults.length > 0 && (
        <Switches
          answer={answer}
          pending={pending}
          rejected={rejected}
          onSwitch={(name, on) => change(name, on, () => setFault(name, on))}
          onAllOff={() => change(null, false, turnAllFaultsOff)}
        />
      )}
    </>
  );
}

interface Props {
  answer: Faults;
  pending: Pending;
  rejected: Rejected | null;
  onSwitch: (name: string, on: boolean) => void;
  onAllOff: () => void;
}

function namesOfFaultsOn(answer: Faults | null): string[] {
  return answer?.faults.filter((fault) => fault.on).map((fault) => fault.name) ?? [];
}

function Switches({ answer, pending, rejected, onSwitch, onAllOff }: Props) {
  // Counts the confirmed state, not changes that are still pending.
  const on = namesOfFaultsOn(answer).length;
  const unknown = answer.unreachable !== null;
  return (
    <>
      <div class="faults-bar">
        <p>
          {unknown
            ? "The state of the faults is unknown."
            : `${on} of ${count(answer.faults.length, "fault")} on.`}
        </p>
        <button type="button" disabled={unknown || on === 0} onClick={onAllOff}>
          Turn all off
        </button>
      </div>
      {answer.unreachable !== null && (
        <p class="banner bad" role="alert">
          {answer.unreachable} The flags are stored in the Firestore emulator, which ./scripts/dev
          starts. Retrying every few seconds.
        </p>
      )}
      {rejected?.name === null && !unknown && (
        <p class="banner bad" role="alert">
          {rejected.message} No fault was changed.
        </p>
      )}
      <ul class="faults">
        {answer.faults.map((fault) => (
          <FaultRow
            key={fault.name}
            fault={fault}
            pending={pending[fault.name]}
            rejection={rejected?.name === fault.name && !unknown ? rejected.message : null}
            onSwitch={(on) => onSwitch(fault.name, on)}
          />
        ))}
      </ul>
    </>
  );
}
