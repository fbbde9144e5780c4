// Builds the page in memory and prints its chunks as JSON: their imports, sizes and tracing code.
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";

const [root] = process.argv.slice(2);
// Resolved from the page's folder, because its packages may be installed in any folder above.
const { build, minify } = await import(createRequire(`${root}/`).resolve("vite"));

const TRACING = /\/src\/(tracing|throughline)\/|\/@opentelemetry\//;
const gzipBytes = (code) => gzipSync(code, { level: 9 }).length;

const result = await build({
  root,
  mode: "emulators",
  configFile: `${root}/vite.config.ts`,
  logLevel: "silent",
  build: { write: false, sourcemap: false },
});
const { output } = [result].flat()[0];
const chunks = [];
for (const chunk of output.filter(({ type }) => type === "chunk")) {
  const modules = Object.entries(chunk.modules).filter(([id]) => TRACING.test(id));
  const tracing = modules.map(([, { code }]) => code ?? "").join("\n");
  chunks.push({
    file: chunk.fileName,
    is_entry: chunk.isEntry,
    facade: chunk.facadeModuleId ?? "",
    imports: chunk.imports,
    gzip_bytes: gzipBytes(chunk.code),
    tracing_gzip_bytes: tracing ? gzipBytes((await minify("tracing.js", tracing)).code) : 0,
  });
}
console.log(JSON.stringify(chunks));
