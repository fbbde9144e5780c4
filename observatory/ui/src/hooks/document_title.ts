/** The title of the page in the browser. */
import { useEffect } from "preact/hooks";

/** Set the page's title to a view's name, or to the name of what it shows. */
export function useTitle(view: string): void {
  useEffect(() => {
    document.title = `${view} · Observatory`;
  }, [view]);
}
