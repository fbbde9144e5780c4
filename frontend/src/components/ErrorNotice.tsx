import type { UserError } from "../model/userError";
import { Notice } from "./Notice";
import { SupportCode } from "./SupportCode";

interface Props {
  error: UserError;
  /** The trace of what failed; null if it failed before there was one. */
  traceId: string | null;
}

/** Why an action failed, what to do about it, and the trace to quote. */
export function ErrorNotice({ error, traceId }: Props) {
  return (
    <Notice tone="bad" title={error.title} urgent>
      <p>{error.hint}</p>
      {traceId && <SupportCode traceId={traceId} />}
    </Notice>
  );
}
