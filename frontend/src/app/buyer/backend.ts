import { lazyBackend } from "../../backend/lazyBackend";

export type Backend = typeof import("../../backend/buyer");

/** What the buyer's page needs of Firebase. */
export const { backend, withBackend } = lazyBackend<Backend>(import("../../backend/buyer"));
