import { defineConfig } from "vite";
import { commit } from "./commit";
import { connectSources } from "./connectSources";
import { requiredSettings } from "./requiredSettings";
import { sourceLines } from "./sourceLines";
// Intentional bugs. For a page without them, delete src/faults and these lines marked FAULTS.
import { installFaults } from "./src/faults/install"; // FAULTS

export default defineConfig({
  plugins: [
    requiredSettings(),
    connectSources(),
    sourceLines(),
    installFaults(), // FAULTS
  ],
  define: { __SERVICE_VERSION__: JSON.stringify(commit()) },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    sourcemap: true,
    // Two pages, so that the buyer's does not carry the organiser's.
    rolldownOptions: { input: ["index.html", "organiser.html"] },
    // Firestore's SDK is large, so it has a chunk of its own, which the first paint doesn't need.
    chunkSizeWarningLimit: 600,
  },
});
