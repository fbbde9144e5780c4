import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { sourceLines } from "./frontend/sourceLines";

// The page's OpenTelemetry is newer than the one that the root's own dependencies bring along.
const opentelemetry = fileURLToPath(
  new URL("frontend/node_modules/@opentelemetry", import.meta.url),
);

export default defineConfig({
  plugins: [sourceLines()],
  define: { __SERVICE_VERSION__: '"test"' },
  resolve: { alias: { "@opentelemetry": opentelemetry } },
  test: { include: ["tests/unit/**/*.test.ts"], environment: "node" },
});
