import type { Plugin } from "vite";
import { readSettings, type Settings } from "./src/settings";

/**
 * Names in each page, as a Content Security Policy, the origins to which it may connect.
 *
 * They depend on the settings of the build: the project, its region, the card processor and, on the
 * local stack, the ports. Hosting's own policy, in firebase.json, is the same for all, and has the
 * rest. A browser enforces both.
 */
export function connectSources(): Plugin {
  let settings: Settings;
  return {
    name: "connect-sources",
    apply: "build",
    configResolved({ env }) {
      settings = readSettings(env);
    },
    transformIndexHtml: () => [
      {
        tag: "meta",
        // First, because the policy does not apply to what precedes it.
        injectTo: "head-prepend",
        attrs: {
          "http-equiv": "Content-Security-Policy",
          content: `connect-src ${origins(settings).join(" ")}`,
        },
      },
    ],
  };
}

/** Returns the origins to which a page with these settings connects. */
export function origins(settings: Settings): string[] {
  const { authEmulatorUrl, firestoreEmulator, functionsUrl, acquirerUrl, otlpEndpoint } = settings;
  const all = [
    "'self'",
    ...(authEmulatorUrl
      ? [authEmulatorUrl]
      : ["https://identitytoolkit.googleapis.com", "https://securetoken.googleapis.com"]),
    firestoreEmulator
      ? `http://${firestoreEmulator.host}:${firestoreEmulator.port}`
      : "https://firestore.googleapis.com",
    functionsUrl,
    acquirerUrl,
    otlpEndpoint,
    ...(settings.appCheckKey
      ? ["https://content-firebaseappcheck.googleapis.com", "https://www.google.com"]
      : []),
  ];
  // A path is on the site itself; without an endpoint, nothing is sent.
  const named = all.filter((source) => source !== "" && !source.startsWith("/"));
  return [
    ...new Set(named.map((source) => (source === "'self'" ? source : new URL(source).origin))),
  ];
}
