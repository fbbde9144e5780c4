// Resolves a manifest as `firebase deploy` does, and prints its endpoints as JSON.
// node resolve_manifest.cjs DOTENV < MANIFEST
// The settings in DOTENV are those of functions/.env.<project id>; none may be missing from it.
const { readFileSync } = require("node:fs");
const backend = require("firebase-tools/lib/deploy/functions/backend");
const build = require("firebase-tools/lib/deploy/functions/build");
const discovery = require("firebase-tools/lib/deploy/functions/runtimes/discovery");
const { parseStrict } = require("firebase-tools/lib/functions/env");
const yaml = require("yaml");

const manifest = yaml.parse(readFileSync(0, "utf8"));
const projectId = "box-office";

build
  .resolveBackend({
    build: discovery.yamlToBuild(manifest, projectId, "us-east1", "python311"),
    firebaseConfig: { projectId },
    userEnvs: parseStrict(readFileSync(process.argv[2], "utf8")),
    codebase: "boxoffice",
    nonInteractive: true,
    // Secrets are not looked up in Secret Manager.
    isEmulator: true,
  })
  .then(({ backend: resolved }) => {
    process.stdout.write(JSON.stringify(backend.allEndpoints(resolved)));
  })
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
