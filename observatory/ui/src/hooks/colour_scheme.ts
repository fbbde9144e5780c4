/** The page's colours, for canvases, which can't use CSS variables. */
import { useLayoutEffect, useState } from "preact/hooks";
import { useMedia } from "../scrolling/element_scroll";

/** Return a key that changes with the page's colours, and render again when it does. */
export function useColourScheme(): string {
  const dark = useMedia("(prefers-color-scheme: dark)");
  const chosenTheme = () => document.documentElement.dataset.theme ?? "system";
  const [theme, setTheme] = useState(chosenTheme);
  useLayoutEffect(() => {
    const observer = new MutationObserver(() => setTheme(chosenTheme()));
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => observer.disconnect();
  }, []);
  return `${theme} ${dark ? "dark" : "light"}`;
}

/** Return the current value of a custom property that holds a colour, such as `--bad`. */
export function resolvedColour(element: HTMLElement, property: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${property})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
