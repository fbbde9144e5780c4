/** The commit that the page is built from; the build inserts it. See `frontend/commit.ts`. */
declare const __SERVICE_VERSION__: string;
