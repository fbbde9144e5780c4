/** A badge that is shown in every view while a fault is on, with the number of faults. */
import type { Fault } from "../api/types";
import { count } from "../format";
import { followLink } from "../navigation/route";

export function FaultsBadge({ faults, path }: { faults: Fault[]; path: string }) {
  const on = faults.filter((fault) => fault.on).map((fault) => fault.name);
  return (
    <span class="faults-badge" role="status">
      {on.length > 0 && (
        <a
          href={path}
          onClick={followLink}
          title={`Faults that are on, so the app misbehaves on purpose: ${on.join(", ")}`}
        >
          {count(on.length, "fault")}
          <span class="on"> on</span>
        </a>
      )}
    </span>
  );
}
