/** What a view shows while its data is loading, missing, refused, or out of date. */
import type { VNode } from "preact";
import type { Polled } from "../hooks/polling";
import { Notice, Unreachable } from "./notice";

interface Props {
  request: Polled<unknown>;
  /** The text while the first request is on its way; without it, nothing is shown. */
  loading?: string;
  /** The heading when the server refuses the request. */
  refused?: string;
  /** Shown if the trace is not stored; without it, that is shown as a refusal. */
  notFound?: VNode;
}

export function ErrorState({
  request,
  loading,
  refused = "The request was refused",
  notFound,
}: Props) {
  const { answer, failure } = request;
  if (failure === null)
    return answer === null && loading ? <Notice title={loading} tone="busy" /> : null;
  if (failure.kind === "unreachable") return <Unreachable stale={answer !== null} />;
  if (failure.kind === "not-found" && notFound) return answer === null ? notFound : null;
  return (
    <Notice title={refused} tone="bad">
      <p>{failure.message}</p>
    </Notice>
  );
}
