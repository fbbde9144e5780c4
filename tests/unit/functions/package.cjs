// Packages a folder of functions as `firebase deploy` does, and prints the archive's path.
// node package.cjs FIREBASE_JSON SOURCE
const { readFileSync } = require("node:fs");
const path = require("node:path");
const { prepareFunctionsUpload } = require("firebase-tools/lib/deploy/functions/prepareFunctionsUpload");

const [configFile, source] = process.argv.slice(2);
const [config] = JSON.parse(readFileSync(configFile, "utf8")).functions;

prepareFunctionsUpload(path.dirname(configFile), source, config, []).then(({ pathToSource }) => {
  process.stdout.write(pathToSource);
});
