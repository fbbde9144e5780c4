/** Says in every view that a fault is on: what one sees is then wrong on purpose. */
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
          title={`On, so that what you see is wrong on purpose: ${on.join(", ")}`}
        >
          {count(on.length, "fault")}
          <span class="on"> on</span>
        </a>
      )}
    </span>
  );
}
