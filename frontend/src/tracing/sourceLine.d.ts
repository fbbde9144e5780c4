/**
 * Where it is written, as `file:line` below `frontend/src`; the build puts it in.
 * See `frontend/sourceLines.ts`.
 */
declare const __SOURCE_LINE__: string;
