import type { ComponentChildren } from "preact";
import { Notice } from "./Notice";
import type { Feed } from "./useFeed";

interface Props<T> {
  feed: Feed<T>;
  /** What could not be loaded, as a sentence. */
  errorTitle: string;
  loadingState: ComponentChildren;
  /** Shown when the server has answered that there is nothing. */
  emptyState: ComponentChildren;
  /** Shown when there is nothing in memory and the server cannot be reached. */
  offlineState: ComponentChildren;
  /** Renders a list that has at least one item. */
  children: (items: T[]) => ComponentChildren;
}

/** A live list in its current state: loading, failed, empty or ready. */
export function FeedView<T>(props: Props<T>) {
  const { feed, errorTitle, loadingState, emptyState, offlineState, children } = props;
  if (feed.status === "loading") return <>{loadingState}</>;
  if (feed.status === "failed") {
    return (
      <Notice tone="bad" title={errorTitle} urgent>
        <p>The box office answered: {feed.error.message}</p>
        <button type="button" class="button" onClick={feed.retry}>
          Try again
        </button>
      </Notice>
    );
  }
  if (feed.items.length === 0) return <>{feed.connected ? emptyState : offlineState}</>;
  return <>{children(feed.items)}</>;
}
