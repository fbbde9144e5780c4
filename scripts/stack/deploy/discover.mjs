/**
 * Discovers what a project would deploy, with the modules of firebase-tools that `firebase deploy`
 * uses, but without an account: validates firebase.json against its schema, runs each codebase's
 * functions to ask for their manifest, and resolves it with the settings of the project.
 *
 * usage: discover.mjs FIREBASE_TOOLS ROOT PROJECT RUNTIME
 *
 * RUNTIME is that of the installed Python packages. Parameters that no settings file sets are
 * `missing`, because a deployment without a terminal fails for them even if they have a default; here
 * they have their default, so that the other mistakes are found in the same run.
 *
 * Prints one JSON object: `schema` (errors in firebase.json), `error` and `codebases`.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [tools, root, project, runtime] = process.argv.slice(2);
const require = createRequire(path.join(tools, "lib", "index.js"));

const backends = require("./deploy/functions/backend");
const builds = require("./deploy/functions/build");
const environment = require("./functions/env");
const { logger } = require("./logger");
const prepare = require("./deploy/functions/prepare");
const projectConfig = require("./functions/projectConfig");
const runtimes = require("./deploy/functions/runtimes");
const validate = require("./deploy/functions/validate");

/** What the process that serves a manifest prints, such as the traceback of a failed import. */
let printed = "";
logger.error = (text) => {
  printed += text;
  return logger;
};

function schemaErrors(config) {
  const { default: Ajv } = require("ajv");
  const { default: addFormats } = require("ajv-formats");
  const schema = JSON.parse(readFileSync(path.join(tools, "schema", "firebase-config.json"), "utf8"));
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strict: false });
  addFormats(ajv);
  const isValid = ajv.compile(schema);
  return isValid(config)
    ? []
    : isValid.errors.map(({ instancePath, keyword, message, params }) => ({
        at: instancePath,
        keyword,
        message,
        params,
      }));
}

async function discover(codebase) {
  printed = "";
  const sourceDir = path.join(root, codebase.source);
  const context = { projectId: project, projectDir: root, sourceDir, runtime };
  const found = { source: codebase.source, error: "", stage: "source", printed: "" };
  try {
    const settings = environment.loadUserEnvs({
      functionsSource: sourceDir,
      projectId: project,
      projectDir: root,
    });
    Object.assign(found, { settings, stage: "discovery" });
    const delegate = await runtimes.getRuntimeDelegate(context);
    const build = await delegate.discoverBuild({}, { ...settings, GCLOUD_PROJECT: project });
    build.runtime = codebase.runtime;
    Object.assign(found, {
      stage: "settings",
      params: build.params,
      apis: build.requiredAPIs,
      endpoints: build.endpoints,
    });
    // Secrets are in Secret Manager, which needs an account.
    build.params = build.params.filter((param) => param.type !== "secret");
    const unset = build.params.filter((param) => !(param.name in settings));
    found.missing = unset.map((param) => param.name);
    const values = { ...settings };
    for (const param of unset) {
      values[param.name] = String(param.default ?? "");
    }
    const resolved = await builds.resolveBackend({
      build,
      codebase: codebase.codebase,
      firebaseConfig: { projectId: project },
      isEmulator: false,
      nonInteractive: true,
      userEnvs: values,
      resolveRegions: () => {
        for (const endpoint of Object.values(build.endpoints)) {
          endpoint.region ??= [];
        }
      },
    });
    found.stage = "options";
    prepare.resolveCpuAndConcurrency(resolved.backend);
    found.resolved = backends.allEndpoints(resolved.backend);
    validate.endpointsAreValid(resolved.backend, backends.empty());
    found.stage = "";
  } catch (error) {
    found.error = [error.message, ...(error.children ?? []).map((child) => child.message)].join(": ");
  }
  found.printed = printed;
  return found;
}

const config = JSON.parse(readFileSync(path.join(root, "firebase.json"), "utf8"));
const answer = { schema: schemaErrors(config), codebases: {}, error: "" };
try {
  for (const codebase of projectConfig.normalizeAndValidate(config.functions)) {
    answer.codebases[codebase.codebase] = existsSync(path.join(root, codebase.source))
      ? await discover(codebase)
      : { source: codebase.source, error: "its source folder does not exist", stage: "source" };
  }
} catch (error) {
  answer.error = error.message;
}
process.stdout.write(JSON.stringify(answer), () => process.exit());
