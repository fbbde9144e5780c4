/** Scroll position and visible height of an element. */
import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

export interface ScrollPosition {
  topPx: number;
  heightPx: number;
}

/** Return an element's scroll position, and render again when it or the height changes. */
export function useScrollPosition(container: RefObject<HTMLElement | null>): ScrollPosition {
  const [position, setPosition] = useState<ScrollPosition>({ topPx: 0, heightPx: 0 });
  useLayoutEffect(() => {
    const element = container.current;
    if (element === null) return;
    const read = () =>
      setPosition((before) => {
        const [topPx, heightPx] = [element.scrollTop, element.clientHeight];
        return before.topPx === topPx && before.heightPx === heightPx
          ? before
          : { topPx, heightPx };
      });
    const observer = new ResizeObserver(read);
    observer.observe(element);
    element.addEventListener("scroll", read, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", read);
    };
  }, [container]);
  return position;
}

/** Return whether a media query matches, and render again when that changes. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useLayoutEffect(() => {
    const list = matchMedia(query);
    const read = () => setMatches(list.matches);
    read();
    list.addEventListener("change", read);
    return () => list.removeEventListener("change", read);
  }, [query]);
  return matches;
}
