import { lazyBackend } from "../../backend/lazyBackend";

export type OrganiserBackend = typeof import("../../backend/organiser");

/** What the organiser's page needs of Firebase. */
export const { backend, withBackend } = lazyBackend<OrganiserBackend>(
  import("../../backend/organiser"),
);
