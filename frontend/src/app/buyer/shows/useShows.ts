import { useEffect } from "preact/hooks";
import { type Feed, type Subscribe, useFeed } from "../../../components/useFeed";
import type { Show } from "../../../model/show";
import { withTracing } from "../../../tracing/load";
import { withBackend } from "../backend";

const subscribe: Subscribe<Show> = (report, fail) =>
  withBackend((backend) => backend.watchShows(report, fail), fail);

/** The shows on sale, live. The page view's span ends when they first arrive. */
export function useShows(): Feed<Show> {
  const feed = useFeed(subscribe);
  const { status } = feed;
  const error = feed.status === "failed" ? feed.error : undefined;
  useEffect(() => {
    if (status === "ready") withTracing((tracing) => tracing.pageReady());
    else if (status === "failed") withTracing((tracing) => tracing.pageFailed(error));
  }, [status, error]);
  return feed;
}
