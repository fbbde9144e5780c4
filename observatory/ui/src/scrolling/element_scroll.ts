/** How far an element is scrolled and how much of it is in sight. */
import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

export interface Scrolled {
  topPx: number;
  heightPx: number;
}

/** Follows an element that scrolls; draws again when either number changes. */
export function useScrolled(container: RefObject<HTMLElement | null>): Scrolled {
  const [scrolled, setScrolled] = useState<Scrolled>({ topPx: 0, heightPx: 0 });
  useLayoutEffect(() => {
    const element = container.current;
    if (element === null) return;
    const read = () =>
      setScrolled((before) => {
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
  return scrolled;
}

/** Whether a media query matches; draws again when that changes. */
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
