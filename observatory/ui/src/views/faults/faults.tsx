/** The switchboard: the bugs on purpose of the app that is looked at, each with its switch. */
import "./faults.css";
import { useState } from "preact/hooks";
import { ApiFailure } from "../../api/client";
import { setFault, turnAllFaultsOff } from "../../api/requests";
import type { Faults } from "../../api/types";
import { ErrorState } from "../../components/error_state";
import { useTitle } from "../../hooks/document_title";
import type { FaultFlags } from "../../hooks/fault_flags";
import { NotConnected, NoFaults } from "./empty_state";
import { FaultRow } from "./fault_row";

/** What is on its way: by the fault's name, what it is to be. */
type Turning = Readonly<Record<string, boolean>>;

/** Why nothing was turned the last time; `name` is the fault's, or null where it was all of them. */
interface Refused {
  name: string | null;
  message: string;
}

export function FaultsView({ switchboard }: { switchboard: FaultFlags }) {
  const { answer, take } = switchboard;
  const [turning, setTurning] = useState<Turning>({});
  const [refused, setRefused] = useState<Refused | null>(null);
  useTitle("Faults");
  const turn = async (name: string | null, on: boolean, ask: () => Promise<Faults>) => {
    const names = name === null ? namesOfThoseOn(answer) : [name];
    setTurning((before) => ({ ...before, ...Object.fromEntries(names.map((name) => [name, on])) }));
    setRefused(null);
    try {
      take(await ask());
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      setRefused({ name, message: error.message });
    } finally {
      setTurning((before) =>
        Object.fromEntries(Object.entries(before).filter(([name]) => !names.includes(name))),
      );
    }
  };
  return (
    <>
      <div class="faults-head">
        <h1>Faults</h1>
        <p>
          Bugs on purpose, each one line that goes the wrong way while its switch is on. Turn one
          on, use the app, and find in the traces what it does.
        </p>
      </div>
      <ErrorState
        live={switchboard}
        asking="Asking for the faults…"
        refused="The faults can't be shown"
      />
      {answer?.connected === false && <NotConnected />}
      {answer?.connected && answer.faults.length === 0 && <NoFaults />}
      {answer?.connected && answer.faults.length > 0 && (
        <Switches
          answer={answer}
          turning={turning}
          refused={refused}
          onTurn={(name, on) => turn(name, on, () => setFault(name, on))}
          onAllOff={() => turn(null, false, turnAllFaultsOff)}
        />
      )}
    </>
  );
}

interface Props {
  answer: Faults;
  turning: Turning;
  refused: Refused | null;
  onTurn: (name: string, on: boolean) => void;
  onAllOff: () => void;
}

function namesOfThoseOn(answer: Faults | null): string[] {
  return answer?.faults.filter((fault) => fault.on).map((fault) => fault.name) ?? [];
}

function Switches({ answer, turning, refused, onTurn, onAllOff }: Props) {
  // What is counted is what is so, not what is on its way.
  const on = namesOfThoseOn(answer).length;
  const unknown = answer.unreachable !== null;
  return (
    <>
      <div class="faults-bar">
        <p>
          {unknown
            ? "Nobody knows which are on."
            : `${on} of ${answer.faults.length} ${on === 1 ? "is" : "are"} on.`}
        </p>
        <button type="button" disabled={unknown || on === 0} onClick={onAllOff}>
          Turn all off
        </button>
      </div>
      {answer.unreachable !== null && (
        <p class="banner bad" role="alert">
          {answer.unreachable} The Firestore emulator keeps them, and ./scripts/dev runs it; it is
          asked again every few seconds.
        </p>
      )}
      {refused?.name === null && !unknown && (
        <p class="banner bad" role="alert">
          {refused.message} Nothing was turned.
        </p>
      )}
      <ul class="faults">
        {answer.faults.map((fault) => (
          <FaultRow
            key={fault.name}
            fault={fault}
            turning={turning[fault.name]}
            refused={refused?.name === fault.name && !unknown ? refused.message : null}
            onTurn={(on) => onTurn(fault.name, on)}
          />
        ))}
      </ul>
    </>
  );
}
