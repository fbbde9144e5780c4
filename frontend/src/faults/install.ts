import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { normalizePath, type Plugin } from "vite";

/** A function of the page, and the fault whose function of the same name can replace it. */
export interface Replacement {
  /** The fault's name in the page's address, such as `denial-looks-empty`. */
  fault: string;
  /** The fault's file, absolute, and that of the module with the replaced function. */
  faultFile: string;
  targetFile: string;
  function: string;
}

const SOURCE = fileURLToPath(new URL("..", import.meta.url));
const REPLACES = /^export const REPLACES = "(?<module>[\w/]+):(?<name>\w+)";$/m;

/**
 * Build the page with its faults, each of which is off unless the page's URL names it.
 *
 * Each module in this folder names in `REPLACES` the function that it replaces. The build renames
 * that function and puts in its place one that calls the right or the wrong version, so that neither
 * the views nor the backend contain code for faults. A page built without emulators contains none.
 *
 * @param source the folder of the page's modules.
 */
export function installFaults(source: string = SOURCE): Plugin {
  let replacements: Replacement[] = [];
  return {
    name: "faults",
    // While function declarations still look as they were written.
    enforce: "pre",
    configResolved({ env }) {
      const hasEmulators = env.VITE_FIRESTORE_EMULATOR?.trim() !== "";
      replacements = hasEmulators ? readReplacements(source) : [];
    },
    transform(code, id) {
      const here = replacements.filter(({ targetFile }) => targetFile === id);
      return here.length > 0 ? { code: here.reduce(replace, code), map: null } : null;
    },
  };
}

/**
 * Read what the faults of a page replace.
 *
 * @throws Error naming the fault and its target, if the target does not exist.
 */
export function readReplacements(source: string): Replacement[] {
  const folder = join(source, "faults");
  return readdirSync(folder).flatMap((file) => {
    const faultFile = join(folder, file);
    const target = REPLACES.exec(readFileSync(faultFile, "utf8"))?.groups;
    if (!target?.module || !target.name) return [];
    const fault = basename(file, ".ts").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const targetFile = normalizePath(join(source, `${target.module}.ts`));
    const replacement = { fault, faultFile, targetFile, function: target.name };
    if (!declaration(replacement).test(readIfExists(targetFile))) {
      throw new Error(
        `The fault ${fault} replaces ${target.module}:${target.name}, but ${targetFile} has no ` +
          `"export function ${target.name}(". Correct REPLACES in ${faultFile}.`,
      );
    }
    return [replacement];
  });
}

/** Rename the right version, and export a function under its name that selects a version. */
function replace(code: string, replacement: Replacement): string {
  const { fault, faultFile, function: name } = replacement;
  const isOn = join(SOURCE, "faults/isOn.ts");
  // Appended, so that no line of the module moves.
  return `${code.replace(declaration(replacement), `$<async>function right_${name}(`)}
import { isOn as isOn_${name} } from ${JSON.stringify(isOn)};
import { ${name} as wrong_${name} } from ${JSON.stringify(faultFile)};
export function ${name}(...args: Parameters<typeof right_${name}>) {
  return (isOn_${name}(${JSON.stringify(fault)}) ? wrong_${name} : right_${name})(...args);
}
`;
}

function declaration({ function: name }: Replacement): RegExp {
  return new RegExp(`^export (?<async>async )?function ${name}\\(`, "m");
}

function readIfExists(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
