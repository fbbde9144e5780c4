import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const SOURCE = resolve(import.meta.dirname, "../../../frontend/src");
const LIBRARY = join(SOURCE, "throughline");

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

/** What a file imports or re-exports: statically, for its effect only, or dynamically. */
function importsOf(text: string): string[] {
  const patterns = [/\bfrom\s*"([^"]+)"/g, /\bimport\s*"([^"]+)"/g, /\bimport\(\s*"([^"]+)"/g];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ""));
}

function isAllowedInLibrary(specifier: string): boolean {
  return /^\.\/[\w-]+$/.test(specifier) || /^(@opentelemetry|firebase)\//.test(specifier);
}

/** The page's modules with the modules that each imports, as paths below `frontend/src`. */
function importGraph(): Map<string, string[]> {
  const files = filesIn(SOURCE);
  const modules = new Set(files.map((file) => relative(SOURCE, file)));
  return new Map(
    files.map((file) => {
      const imported = importsOf(readFileSync(file, "utf8")).flatMap((specifier) => {
        if (!specifier.startsWith(".")) return [];
        const path = relative(SOURCE, resolve(dirname(file), specifier));
        const candidates = [`${path}.ts`, `${path}.tsx`, join(path, "index.ts")];
        return candidates.filter((candidate) => modules.has(candidate));
      });
      return [relative(SOURCE, file), imported];
    }),
  );
}

/** The modules of a cycle, the first one again at the end, or null. */
function findCycle(graph: ReadonlyMap<string, string[]>): string[] | null {
  const finished = new Set<string>();
  const visit = (module: string, path: string[]): string[] | null => {
    if (path.includes(module)) return [...path.slice(path.indexOf(module)), module];
    if (finished.has(module)) return null;
    for (const imported of graph.get(module) ?? []) {
      const cycle = visit(imported, [...path, module]);
      if (cycle) return cycle;
    }
    finished.add(module);
    return null;
  };
  for (const module of graph.keys()) {
    const cycle = visit(module, []);
    if (cycle) return cycle;
  }
  return null;
}

/** Which folders and modules of the page each of them may import, besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = JSON.parse(
  readFileSync(join(import.meta.dirname, "import_rules.json"), "utf8"),
);

test("no module of the page imports itself by way of others", () => {
  expect(findCycle(importGraph())).toBeNull();
});

test("a cycle is found, through however many modules", () => {
  const graph = new Map([
    ["a", ["b"]],
    ["b", ["c"]],
    ["c", ["b"]],
  ]);
  expect(findCycle(graph)).toEqual(["b", "c", "b"]);
});

test("each part of the page imports only the parts below it", () => {
  const graph = importGraph();
  const partOf = (module: string) => module.split("/")[0] ?? "";
  expect(new Set([...graph.keys()].map(partOf))).toEqual(new Set(Object.keys(MAY_IMPORT)));
  const strays = [...graph].flatMap(([module, imported]) =>
    imported
      .filter(
        (other) => ![partOf(module), ...(MAY_IMPORT[partOf(module)] ?? [])].includes(partOf(other)),
      )
      .map((other) => `${module} imports ${other}`),
  );
  expect(strays).toEqual([]);
});

test("only the installed faults know of faults", () => {
  // The carrier's checks mention malformed fields.
  const modules = filesIn(SOURCE).filter((file) => !/\/(faults|throughline)\//.test(file));
  expect(modules.length).toBeGreaterThan(40);
  for (const file of modules) {
    const text = readFileSync(file, "utf8").replaceAll(/default/gi, "");
    expect(text, relative(SOURCE, file)).not.toMatch(/fault/i);
  }
});

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
  const lazy = /(tracing\/index|\/index|backend\/(buyer|organiser)(\/\w+)?|backend\/firebase)$/;
  for (const file of filesIn(SOURCE)) {
    const name = relative(SOURCE, file);
    if (/^(throughline|backend|faults|tracing\/index)/.test(name)) continue;
    const text = readFileSync(file, "utf8").replace(/import type [^;]+;/g, "");
    const eager = [...text.matchAll(/\bfrom\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
    for (const specifier of eager) {
      expect(specifier, name).not.toMatch(lazy);
      expect(specifier, name).not.toMatch(/^(firebase|@opentelemetry)\//);
    }
  }
});

test("the buyer's page imports nothing of the organiser's", () => {
  const own = /^(app|backend)\/buyer\//;
  const buyers = [...importGraph()].filter(([module]) => own.test(module));
  expect(buyers.length).toBeGreaterThan(20);
  const strays = [...importGraph()].flatMap(([module, imported]) =>
    imported
      .filter((other) => isOrganisers(other) && !isOrganisers(module) && !/^faults\//.test(module))
      .map((other) => `${module} imports ${other}`),
  );
  expect(strays).toEqual([]);
});

test("the organiser's page imports nothing of the buyer's", () => {
  const strays = [...importGraph()].flatMap(([module, imported]) =>
    imported
      .filter((other) => isOrganisers(module) && /^(app|backend)\/buyer\//.test(other))
      .map((other) => `${module} imports ${other}`),
  );
  expect(strays).toEqual([]);
});

function isOrganisers(module: string): boolean {
  return /^(app|backend)\/organiser\//.test(module);
}
