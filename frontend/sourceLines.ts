import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const SOURCE = fileURLToPath(new URL("src", import.meta.url));
const MARKER = "__SOURCE_LINE__";

/**
 * Replaces each `__SOURCE_LINE__` by its file below `src` and its line, such as
 * `"purchase/buy.ts:32"`.
 *
 * At run time a page knows only where it is in a minified chunk, and finding the line from there
 * would take every visitor the source map.
 */
export function sourceLines(): Plugin {
  return {
    name: "source-lines",
    // Before anything else has moved lines.
    enforce: "pre",
    transform(code, id) {
      if (!id.startsWith(SOURCE) || !code.includes(MARKER)) return null;
      const file = relative(SOURCE, id).replaceAll("\\", "/");
      const lines = code.split("\n").map((line, index) => {
        return line.replaceAll(MARKER, JSON.stringify(`${file}:${index + 1}`));
      });
      return { code: lines.join("\n"), map: null };
    },
  };
}
