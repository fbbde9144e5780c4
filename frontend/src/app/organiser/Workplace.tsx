import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ConnectionBanner } from "../../components/ConnectionBanner";
import { FeedView } from "../../components/FeedView";
import { Notice } from "../../components/Notice";
import { Skeleton } from "../../components/Skeleton";
import type { Feed } from "../../components/useFeed";
import { dayAndTime } from "../../model/format";
import type { Show } from "../../model/show";
import { tallyText } from "../../model/tally";
import { NewShowDialog } from "./NewShowDialog";
import { ShowSales } from "./ShowSales";
import { addressOfShow, useChosenShow } from "./useChosenShow";
import { useSales, useShows, useTally } from "./useSales";

/** The organiser's view: the shows, and the sales of the one that is chosen. */
export function Workplace({ online }: { online: boolean }) {
  const shows = useShows();
  const tally = useTally();
  const chosenId = useChosenShow();
  const [creating, setCreating] = useState(false);
  const items = shows.status === "ready" ? shows.items : [];
  const chosen =
    items.find((show) => show.id === chosenId) ?? (chosenId === null ? items[0] : undefined);
  const sales = useSales(chosen?.id ?? null);
  const connected = [shows, sales].every((feed) => feed.status !== "ready" || feed.connected);
  const title = useRef<HTMLHeadingElement>(null);
  const takesFocus = useRef<string | null>(null);

  // After creating a show, the organiser sees its sales.
  useEffect(() => {
    if (chosen && takesFocus.current === chosen.id) {
      takesFocus.current = null;
      title.current?.focus();
    }
  }, [chosen]);
  const close = useCallback(() => setCreating(false), []);
  const created = useCallback((showId: string) => {
    takesFocus.current = showId;
    location.hash = addressOfShow(showId);
  }, []);

  return (
    <>
      <ConnectionBanner
        online={online}
        connected={connected}
        paused="Refunds and new shows are paused"
      />
      <main id="main" class="page organiser" tabIndex={-1}>
        <section aria-labelledby="shows-title">
          <div class="section-head row">
            <h2 id="shows-title">Shows</h2>
            <button type="button" class="button" onClick={() => setCreating(true)}>
              New show
            </button>
          </div>
          <Shows feed={shows} chosenId={chosen?.id ?? null} />
          <p class="soft tally">
            {tally.status === "ready" && (tally.connected || tally.items.length > 0)
              ? tallyText(tally.items)
              : "– tickets out"}
          </p>
        </section>
        <section class="sales" aria-labelledby="sales-title">
          {chosen ? (
            <ShowSales key={chosen.id} show={chosen} feed={sales} online={online} title={title} />
          ) : (
            <>
              <div class="section-head">
                <h2 id="sales-title">Sales</h2>
              </div>
              <NoShow feed={shows} chosenId={chosenId} />
            </>
          )}
        </section>
      </main>
      {creating && (
        <NewShowDialog
          online={online}
          rank={items.length + 1}
          onCreated={created}
          onClose={close}
        />
      )}
    </>
  );
}

function Shows({ feed, chosenId }: { feed: Feed<Show>; chosenId: string | null }) {
  return (
    <FeedView
      feed={feed}
      errorTitle="The shows can't be loaded."
      loadingState={<Skeleton label="Loading the shows" widths={[60, 80, 70]} />}
      emptyState={
        <Notice title="No shows yet.">
          <p>Put the first one on sale: buyers see it at once.</p>
        </Notice>
      }
      offlineState={
        <Notice tone="bad" title="The box office can't be reached.">
          <p>The shows appear automatically once it can be reached.</p>
        </Notice>
      }
    >
      {(shows) => (
        <ul class="show-choice panel">
          {shows.map((show) => (
            <li key={show.id}>
              <a
                href={addressOfShow(show.id)}
                aria-current={show.id === chosenId ? "true" : undefined}
                data-choose-show={show.id}
              >
                <span class="choice-title">{show.title}</span>
                <span class="choice-left">
                  {show.seatsLeft === 0
                    ? "Sold out"
                    : `${show.seatsLeft} of ${show.seatsTotal} left`}
                </span>
                <span class="soft">
                  {dayAndTime(show.startsAt)} · {show.city}
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </FeedView>
  );
}

function NoShow({ feed, chosenId }: { feed: Feed<Show>; chosenId: string | null }) {
  if (feed.status === "ready" && chosenId !== null && feed.connected) {
    return (
      <Notice title="There is no such show.">
        <p>It may have been removed. Choose another one.</p>
      </Notice>
    );
  }
  return (
    <Notice title="No sales to show.">
      <p>Once there is a show, its sales appear here, live.</p>
    </Notice>
  );
}
