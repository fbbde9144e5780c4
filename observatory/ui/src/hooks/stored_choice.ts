/** A choice among fixed options that the browser remembers. */
export interface StoredChoice<Option extends string> {
  get(): Option;
  set(option: Option): void;
}

/**
 * Return a choice kept in localStorage. Where storage is refused, as in some private windows, it
 * lasts as long as the page.
 *
 * @param name the key in localStorage.
 * @param fallback the choice if none is stored.
 */
export function storedChoice<Option extends string>(
  name: string,
  options: readonly Option[],
  fallback: Option,
): StoredChoice<Option> {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(name);
  } catch {
    // Storage is refused: use the fallback.
  }
  let current = options.find((option) => option === stored) ?? fallback;
  return {
    get: () => current,
    set: (chosen) => {
      current = chosen;
      try {
        localStorage.setItem(name, chosen);
      } catch {
        // Storage is refused: the choice lasts as long as the page.
      }
    },
  };
}
