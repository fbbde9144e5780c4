/** The two traces that are compared, and their main difference in a sentence. */
import type { Diff, DiffTrace } from "../../api/types";
import { count, durationText, fullMoment, stateTone, withoutPackage } from "../../format";
import { followLink, tracePath } from "../../navigation/route";

export function ComparedTraces({ diff }: { diff: Diff }) {
  return (
    <section class="diff-heads panel" aria-label="The two traces">
      <h1>
        {diff.sentence.map((piece, index) =>
          piece.strong ? (
            <b key={index}>{withoutPackage(piece.text)}</b>
          ) : (
            withoutPackage(piece.text)
          ),
        )}
      </h1>
      <div class="sides">
        <Head head={diff.left} which="left" />
        <Head head={diff.right} which="right" />
      </div>
    </section>
  );
}

function Head({ head, which }: { head: DiffTrace; which: "left" | "right" }) {
  return (
    <div class={`diff-head ${which}`}>
      <p class="whose">
        <span class="swatch" />
        {which}
        {head.order_state && (
          <span class={`chip ${stateTone(head.order_state)}`}>{head.order_state}</span>
        )}
      </p>
      <h2>
        {head.order_id ? (
          <>
            Order <span class="id">{head.order_id}</span>
          </>
        ) : (
          (head.root ?? "Trace")
        )}
      </h2>
      <p class="took">{durationText(head.duration_ms)}</p>
      <p class="facts">
        <span>{count(head.spans, "span")}</span>
        <span class={head.errors ? "bad" : ""}>{count(head.errors, "error")}</span>
        <time dateTime={head.started_at}>{fullMoment(new Date(head.started_at))}</time>
      </p>
      <a href={tracePath(head.trace_id)} onClick={followLink}>
        Open trace <code>{head.trace_id.slice(0, 12)}…</code>
      </a>
    </div>
  );
}
