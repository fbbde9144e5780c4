/**
 * Its own position, as `file:line` below `frontend/src`; the build inserts it.
 * See `frontend/sourceLines.ts`.
 */
declare const __SOURCE_LINE__: string;
