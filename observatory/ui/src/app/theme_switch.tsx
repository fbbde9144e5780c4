/** A button that switches between the light, the dark and the system's colour scheme. */
import { useState } from "preact/hooks";
import { storedChoice } from "../hooks/stored_choice";

const SCHEMES = ["system", "light", "dark"] as const;
type Scheme = (typeof SCHEMES)[number];

// public/assets/theme.js reads the same name before the first paint.
const scheme = storedChoice<Scheme>("observatory.theme", SCHEMES, "system");

const ICON_PATHS: Record<Scheme, string> = {
  system: "M8 1.5a6.5 6.5 0 1 0 0 13zm0 0a6.5 6.5 0 0 1 0 13",
  light:
    "M8 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6M8 .8v2M8 13.2v2M.8 8h2M13.2 8h2M2.9 2.9l1.4 1.4M11.7 11.7l1.4 1.4M2.9 13.1l1.4-1.4M11.7 4.3l1.4-1.4",
  dark: "M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z",
};

export function ThemeSwitch() {
  const [current, setCurrent] = useState(scheme.get);
  const next = SCHEMES[(SCHEMES.indexOf(current) + 1) % SCHEMES.length] as Scheme;
  const change = () => {
    scheme.set(next);
    document.documentElement.dataset.theme = next;
    setCurrent(next);
  };
  const label = `Colours: ${current}. Switch to ${next}`;
  return (
    <button type="button" class="icon" onClick={change} aria-label={label} title={label}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path class={current === "dark" ? "fill" : "stroke"} d={ICON_PATHS[current]} />
      </svg>
    </button>
  );
}
