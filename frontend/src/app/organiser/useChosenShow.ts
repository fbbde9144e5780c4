import { useLayoutEffect, useState } from "preact/hooks";

/** The show in the URL's fragment, so that a show's sales have a link. */
export function useChosenShow(): string | null {
  const [chosen, setChosen] = useState(chosenShow);
  // Before the first paint: a show can be chosen as soon as it is seen.
  useLayoutEffect(() => {
    const update = () => setChosen(chosenShow());
    window.addEventListener("hashchange", update);
    return () => window.removeEventListener("hashchange", update);
  }, []);
  return chosen;
}

/** The address of a show's sales. */
export function addressOfShow(showId: string): string {
  return `#show=${showId}`;
}

function chosenShow(): string | null {
  return /^#show=([a-z0-9-]{1,64})$/.exec(location.hash)?.[1] ?? null;
}
