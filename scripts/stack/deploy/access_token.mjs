/**
 * Prints an access token of the account that firebase-tools would use: of `firebase login`, of the
 * service account in GOOGLE_APPLICATION_CREDENTIALS, or of FIREBASE_TOKEN.
 *
 * usage: access_token.mjs FIREBASE_TOOLS ROOT PROJECT
 *
 * Prints one JSON object: `token` and `account` (an e-mail address, or null), or `error`.
 */
import { createRequire } from "node:module";
import path from "node:path";

const [tools, root, project] = process.argv.slice(2);
const require = createRequire(path.join(tools, "lib", "index.js"));

const auth = require("./auth");
const { getAccessToken } = require("./apiv2");
const { requireAuth } = require("./requireAuth");

const options = { project, projectRoot: root };
let answer;
try {
  const active = auth.selectAccount(undefined, root);
  if (active) auth.setActiveAccount(options, active);
  const account = await requireAuth(options);
  answer = { token: await getAccessToken(), account: account ?? null };
} catch (error) {
  answer = { error: error.original?.message ?? error.message };
}
process.stdout.write(JSON.stringify(answer), () => process.exit());
