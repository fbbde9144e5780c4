import { defineConfig } from "vite";

const OBSERVATORY = "http://127.0.0.1:4318";

export default defineConfig({
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: { proxy: { "/api": OBSERVATORY } },
  build: {
    target: "es2022",
    outDir: "dist",
    // The Content-Security-Policy allows no data: URLs.
    assetsInlineLimit: 0,
  },
});
