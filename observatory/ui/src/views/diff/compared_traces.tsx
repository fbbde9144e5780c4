/** The two compared traces, and their main difference in a sentence. */
import type { Diff, DiffTrace } from "../../api/types";
import { StateChip, TraceTitle } from "../../components/trace_title";
import { count, durationText, fullMoment, withoutPackage } from "../../format";
import { followLink, tracePath } from "../../navigation/route";

export function ComparedTraces({ diff }: { diff: Diff }) {
  return (
    <section class="diff-heads panel" aria-label="The two traces">
      <h1>
        {diff.sentence.map((phrase, index) =>
          phrase.strong ? (
            <b key={index}>{withoutPackage(phrase.text)}</b>
          ) : (
            withoutPackage(phrase.text)
          ),
        )}
      </h1>
      <div class="sides">
        <ComparedTrace trace={diff.left} side="left" />
        <ComparedTrace trace={diff.right} side="right" />
      </div>
    </section>
  );
}

function ComparedTrace({ trace, side }: { trace: DiffTrace; side: "left" | "right" }) {
  return (
    <div class={`diff-head ${side}`}>
      <p class="whose">
        <span class="swatch" />
        {side}
        <StateChip trace={trace} />
      </p>
      <h2>
        <TraceTitle trace={trace} />
      </h2>
      <p class="took">{durationText(trace.duration_ms)}</p>
      <p class="facts">
        <span>{count(trace.spans, "span")}</span>
        <span class={trace.errors ? "bad" : ""}>{count(trace.errors, "error")}</span>
        <time dateTime={trace.started_at}>{fullMoment(new Date(trace.started_at))}</time>
      </p>
      {trace.truncated && (
        <p class="banner warn">
          It has more spans. Only the first {trace.spans.toLocaleString("en")} were compared.
        </p>
      )}
      <a href={tracePath(trace.trace_id)} onClick={followLink}>
        Open trace <code>{trace.trace_id.slice(0, 12)}…</code>
      </a>
    </div>
  );
}
