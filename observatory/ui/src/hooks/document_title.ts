/** What the browser calls the page. */
import { useEffect } from "preact/hooks";

/** Names the tab after a view, or after what the view shows. */
export function useTitle(view: string): void {
  useEffect(() => {
    document.title = `${view} · Observatory`;
  }, [view]);
}
