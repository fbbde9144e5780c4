import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const SOURCE = resolve(import.meta.dirname, "../../../frontend/src");
const LIBRARY = join(SOURCE, "throughline");

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

/** What a file imports or re-exports: statically, for its effect only, or when asked. */
function importsOf(text: string): string[] {
  const patterns = [/\bfrom\s*"([^"]+)"/g, /\bimport\s*"([^"]+)"/g, /\bimport\(\s*"([^"]+)"/g];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((found) => found[1] ?? ""));
}

function isAllowedInLibrary(specifier: string): boolean {
  return /^\.\/[\w-]+$/.test(specifier) || /^(@opentelemetry|firebase)\//.test(specifier);
}

test("the library imports itself, OpenTelemetry and Firebase, and nothing of the Box Office", () => {
  const files = filesIn(LIBRARY);
  expect(files.length).toBeGreaterThan(4);
  const strays = files.flatMap((file) =>
    importsOf(readFileSync(file, "utf8"))
      .filter((specifier) => !isAllowedInLibrary(specifier))
      .map((specifier) => `${relative(SOURCE, file)} imports ${specifier}`),
  );
  expect(strays).toEqual([]);
});

test("the rule sees every way to import", () => {
  const text =
    'import "./a.css";\nexport { b } from "../b";\nconst c = import("../c");\nimport d from "d";';
  expect(importsOf(text).sort()).toEqual(["../b", "../c", "./a.css", "d"]);
  expect(importsOf(text).filter(isAllowedInLibrary)).toEqual([]);
});

test("the library names nothing of the Box Office", () => {
  for (const file of filesIn(LIBRARY)) {
    const code = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    expect(code, relative(SOURCE, file)).not.toMatch(/boxoffice\.|ticket|\bshow_id\b/i);
  }
});

test("settings.ts is the only reader of the build's environment", () => {
  const readers = filesIn(SOURCE).filter((file) =>
    readFileSync(file, "utf8").includes("import.meta.env"),
  );
  expect(readers.map((file) => relative(SOURCE, file))).toEqual(["settings.ts"]);
});

test("the page's first chunk does not pull in the tracing or Firebase chunks", () => {
  const lazy = ["tracing/index", "backend/buyer", "backend/organiser", "backend/firebase"];
  for (const file of filesIn(SOURCE)) {
    const name = relative(SOURCE, file);
    if (/^(throughline|backend|faults|tracing\/index)/.test(name)) continue;
    const text = readFileSync(file, "utf8").replace(/import type [^;]+;/g, "");
    const eager = [...text.matchAll(/\bfrom\s*"([^"]+)"/g)].map((found) => found[1] ?? "");
    for (const specifier of eager) {
      expect(
        lazy.some((path) => specifier.endsWith(path)),
        `${name} imports ${specifier}`,
      ).toBe(false);
      expect(specifier, name).not.toMatch(/^(firebase|@opentelemetry)\//);
    }
  }
});

test("the buyer's page imports nothing of the organiser's", () => {
  for (const file of filesIn(SOURCE)) {
    const name = relative(SOURCE, file);
    if (/^(faults|app\/organiser|backend\/organiser)\//.test(name)) continue;
    const strays = importsOf(readFileSync(file, "utf8")).filter((from) =>
      from.includes("/organiser/"),
    );
    expect(strays, name).toEqual([]);
  }
});
