import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

/**
 * Describe the commit of the checkout, such as `v1.2-3-g6b9f8c3` or `6b9f8c3`, with `-dirty` if
 * files differ from it.
 *
 * @returns an empty string outside a Git repository.
 */
export function commit(folder: string = FOLDER): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 10_000,
    }).trim();
  } catch {
    return "";
  }
}
