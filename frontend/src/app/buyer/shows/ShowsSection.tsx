import "./shows.css";
import { FeedView } from "../../../components/FeedView";
import { Notice } from "../../../components/Notice";
import type { Feed } from "../../../components/useFeed";
import { clock } from "../../../model/format";
import type { Show } from "../../../model/show";
import { ShowCard, WHY_NOT_BUY_ID } from "./ShowCard";

interface Props {
  feed: Feed<Show>;
  /** When the seats left were requested; null while they are live. */
  lookedUpAt: Date | null;
  /** Why nothing can be bought at the moment; null if it can. */
  whyNotBuy: string | null;
  buy: (showId: string) => void;
}

export function ShowsSection({ feed, lookedUpAt, whyNotBuy, buy }: Props) {
  return (
    <section id="shows" class="shows" aria-labelledby="shows-title" tabIndex={-1}>
      <div class="section-head">
        <h2 id="shows-title">On sale</h2>
        {whyNotBuy === null ? (
          <p class="soft" data-seats-looked-up={lookedUpAt?.toISOString()}>
            {lookedUpAt === null
              ? "Seats left are live: they change as people buy."
              : `Seats left as of ${clock(lookedUpAt)}; updated every few seconds.`}
          </p>
        ) : (
          <p class="paused" id={WHY_NOT_BUY_ID}>
            {whyNotBuy}
          </p>
        )}
      </div>
      <Shows feed={feed} whyNotBuy={whyNotBuy} buy={buy} />
    </section>
  );
}

function Shows({ feed, whyNotBuy, buy }: Omit<Props, "lookedUpAt">) {
  return (
    <FeedView
      feed={feed}
      errorTitle="The shows can't be loaded."
      loadingState={<ShowsSkeleton />}
      emptyState={
        <Notice title="No shows yet.">
          <p>
            The database is empty. Stop what is running and start it with <code>./scripts/dev</code>
            , which puts six shows on sale.
          </p>
        </Notice>
      }
      offlineState={
        <Notice tone="bad" title="The box office can't be reached.">
          <p>
            This page retries automatically; the shows appear once it can be reached. On your own
            machine: is <code>./scripts/dev</code> running?
          </p>
        </Notice>
      }
    >
      {(shows) => (
        <ul class="show-list">
          {shows.map((show) => (
            <ShowCard key={show.id} show={show} whyNotBuy={whyNotBuy} buy={buy} />
          ))}
        </ul>
      )}
    </FeedView>
  );
}

const SKELETONS = ["a", "b", "c", "d", "e", "f"];

function ShowsSkeleton() {
  return (
    <ul class="show-list" aria-busy="true" aria-label="Loading the shows">
      {SKELETONS.map((key) => (
        <li key={key} class="show panel skeleton" aria-hidden="true">
          <div class="poster" />
          <div class="show-words">
            <span class="bone" style={{ width: "60%" }} />
            <span class="bone" style={{ width: "85%" }} />
            <span class="bone" style={{ width: "70%" }} />
          </div>
          <div class="show-foot">
            <span class="bone" style={{ width: "40%" }} />
          </div>
        </li>
      ))}
    </ul>
  );
}
