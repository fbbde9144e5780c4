import type { NewShow } from "../../model/newShow";
import { type Tracing, within } from "../../tracing/tracing";
import type { OrganiserBackend } from "./backend";

/** A show that is on its way to the server. */
export interface StartedShow {
  showId: string;
  traceId: string;
  /** Resolves once the server has it; rejects with the reason why it hasn't. */
  created: Promise<void>;
}

/** Start to create `show` in a trace of its own; `rank` is its place among the shows. */
export function createShow(
  show: NewShow,
  rank: number,
  backend: Pick<OrganiserBackend, "newShowId" | "createShow">,
  tracing: Tracing,
): StartedShow {
  const showId = backend.newShowId(show.title);
  const trace = tracing.begin({
    name: "create show",
    line: __SOURCE_LINE__,
    done: "Show created",
    failed: "Show could not be created",
    showId,
  });
  const created = within(trace, () =>
    trace.create({ collection: "shows", line: __SOURCE_LINE__ }, (carrier) =>
      backend.createShow(showId, show, rank, carrier),
    ),
  );
  return { showId, traceId: trace.traceId, created };
}
