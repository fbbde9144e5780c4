/** The page's faults: turned on by its URL, and only in a build for the emulators. */
import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { build, type InlineConfig } from "vite";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { installFaults, readReplacements } from "../../../frontend/src/faults/install";
import { isOn } from "../../../frontend/src/faults/isOn";

const FRONTEND = resolve(import.meta.dirname, "../../../frontend");
const PACKAGES = join(FRONTEND, "../node_modules");
const SOURCE = join(FRONTEND, "src");

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "page-"));
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** A page that consists of one module, and a fault that replaces its function. */
function writeSmallPage(): void {
  write("model/answer.ts", 'export function answer() {\n  return "right";\n}\n');
  write(
    "faults/answersWrong.ts",
    'export const REPLACES = "model/answer:answer";\nexport const answer = () => "wrong";\n',
  );
  write("main.ts", 'export { answer } from "./model/answer";\n');
}

/** Builds the small page and runs what it exports. */
async function buildSmallPage(): Promise<{ code: string; answer: () => string }> {
  const config: InlineConfig = {
    root: folder,
    configFile: false,
    logLevel: "error",
    plugins: [installFaults(folder)],
    build: {
      write: false,
      minify: false,
      lib: { entry: join(folder, "main.ts"), formats: ["es"], fileName: "main" },
    },
  };
  const [output] = (await build(config)) as { output: { code: string }[] }[];
  const code = output?.output[0]?.code ?? "";
  return { code, ...(await import(`data:text/javascript,${encodeURIComponent(code)}`)) };
}

test("only the fault that the URL names is on", () => {
  expect(isOn("denial-looks-empty", "?fault=denial-looks-empty")).toBe(true);
  expect(isOn("denial-looks-empty", "?fault=other&fault=denial-looks-empty")).toBe(true);
  for (const search of ["", "?fault", "?fault=", "?fault=denial", "?denial-looks-empty"]) {
    expect(isOn("denial-looks-empty", search), search).toBe(false);
  }
});

test("the right function runs unless the URL names the fault", async () => {
  writeSmallPage();
  const { answer } = await buildSmallPage();
  vi.stubGlobal("location", { search: "?fault=answers-wrong" });
  expect(answer()).toBe("wrong");
  vi.stubGlobal("location", { search: "?fault=another" });
  expect(answer()).toBe("right");
});

test("a production build contains no faults", async () => {
  writeSmallPage();
  vi.stubEnv("VITE_FIRESTORE_EMULATOR", "");
  const { code, answer } = await buildSmallPage();
  vi.stubGlobal("location", { search: "?fault=answers-wrong" });
  expect(answer()).toBe("right");
  expect(code).not.toMatch(/wrong|fault/i);
});

test("each fault of the page replaces an existing function", () => {
  const replacements = readReplacements(SOURCE);
  expect(replacements.map((replacement) => [replacement.fault, replacement.function])).toEqual([
    ["denial-looks-empty", "watchOrders"],
    ["goes-on-with-the-old-token", "takeUpRole"],
  ]);
});

test.each(["export function reply(", "function answer(", ""])(
  "a fault whose target is now “%s” names it and says what to correct",
  (declaration) => {
    writeSmallPage();
    write("model/answer.ts", `${declaration}) {}\n`);
    expect(() => readReplacements(folder)).toThrow(
      /The fault answers-wrong replaces model\/answer:answer, but .*answer\.ts has no "export function answer\(".*Correct REPLACES in .*answersWrong\.ts/,
    );
  },
);

test("the page builds once its faults' folder and the marked lines are deleted", async () => {
  cpSync(FRONTEND, folder, {
    recursive: true,
    filter: (path) => !/node_modules|dist$|src\/faults$/.test(path),
  });
  const config = readFileSync(join(FRONTEND, "vite.config.ts"), "utf8");
  const kept = config.split("\n").filter((line) => !line.includes("FAULTS"));
  expect(kept.join("\n")).not.toMatch(/\bfaults?\b/i);
  write("vite.config.ts", kept.join("\n"));
  linkPackages();
  await promisify(execFile)(join(PACKAGES, ".bin/tsc"), ["--noEmit", "-p", folder]);
  const { output } = (await build({
    root: folder,
    mode: "emulators",
    logLevel: "error",
    build: { write: false },
  })) as { output: { fileName: string; code?: string }[] };
  expect(output.map(({ fileName }) => fileName)).toContain("organiser.html");
  // Neither the names nor the switch in the address are left.
  for (const { fileName, code } of output) {
    expect(code ?? "", fileName).not.toMatch(/denial-looks-empty|old-token|getAll\(.fault/);
  }
}, 60_000);

/** Makes the page's packages resolve from the copy, its own ones first. */
function linkPackages(): void {
  mkdirSync(join(folder, "node_modules"));
  for (const packages of [join(FRONTEND, "node_modules"), PACKAGES]) {
    for (const name of readdirSync(packages)) {
      const link = join(folder, "node_modules", name);
      if (!existsSync(link)) symlinkSync(join(packages, name), link);
    }
  }
}
