/** A choice among words that this browser remembers. */
export interface StoredChoice<Word extends string> {
  get(): Word;
  set(word: Word): void;
}

/** Without storage, as in some private windows, the choice lasts as long as the page. */
export function storedChoice<Word extends string>(
  name: string,
  words: readonly Word[],
  otherwise: Word,
): StoredChoice<Word> {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(name);
  } catch {
    // Refused: `otherwise` it is.
  }
  let word = words.find((each) => each === kept) ?? otherwise;
  return {
    get: () => word,
    set: (chosen) => {
      word = chosen;
      try {
        localStorage.setItem(name, chosen);
      } catch {
        // Refused: it lasts as long as the page.
      }
    },
  };
}
