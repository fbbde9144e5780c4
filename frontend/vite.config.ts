import { defineConfig } from "vite";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    sourcemap: true,
    // Firestore's SDK is what is large; it has a chunk of its own that the first paint doesn't need.
    chunkSizeWarningLimit: 600,
  },
});
