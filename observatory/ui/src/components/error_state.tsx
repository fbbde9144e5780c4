/** What a view shows while it has no answer, and above an old one that can't be renewed. */
import type { VNode } from "preact";
import type { Live } from "../hooks/polling";
import { Notice, Unreachable } from "./notice";

interface Props {
  live: Live<unknown>;
  /** What is going on until the first answer comes; nothing is said where the view goes without. */
  asking?: string;
  refused?: string;
  /** What stands for what isn't stored; without it, that is a refusal like any other. */
  notFound?: VNode;
}

export function ErrorState({ live, asking, refused = "That was refused", notFound }: Props) {
  const { answer, failure } = live;
  if (failure === null)
    return answer === null && asking ? <Notice title={asking} tone="busy" /> : null;
  if (failure.kind === "unreachable") return <Unreachable stale={answer !== null} />;
  if (failure.kind === "not-found" && notFound) return answer === null ? notFound : null;
  return (
    <Notice title={refused} tone="bad">
      <p>{failure.message}</p>
    </Notice>
  );
}
