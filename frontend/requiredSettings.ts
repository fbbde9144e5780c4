import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import type { Plugin } from "vite";

/** The mode of a build for the local stack, for which every setting has a default. */
export const LOCAL_MODE = "emulators";

const EXAMPLE = fileURLToPath(new URL(".env.example", import.meta.url));

/**
 * Fails a build that lacks a setting, except one for the local stack.
 *
 * A page with defaults would send its buyers to 127.0.0.1. Every variable of `.env.example` must be
 * set, and those that have a value there must have one.
 */
export function requiredSettings(example: string = EXAMPLE): Plugin {
  return {
    name: "required-settings",
    apply: "build",
    configResolved({ mode, env }) {
      if (mode === LOCAL_MODE) return;
      const missing = Object.entries(parseEnv(readFileSync(example, "utf8")))
        .filter(([name, value]) => env[name] === undefined || (value && !env[name].trim()))
        .map(([name]) => name)
        .sort();
      if (missing.length > 0) {
        throw new Error(
          `The page cannot be built without ${missing.join(", ")}. Set them in ` +
            `frontend/.env.${mode}, as frontend/.env.example describes. For the local stack, ` +
            `build with --mode ${LOCAL_MODE}.`,
        );
      }
    },
  };
}
