/** Everything of the organiser's page that is Firebase, in chunks that load beside the first paint. */
export { callFunction, functionUrl } from "../../backend/functions";
export { watchShows } from "../../backend/shows";
export { checkClaimAgain, signIn, signOut, watchOrganiser } from "./account";
export { createShow, newShowId } from "./new_show";
export { watchSales } from "./sales";
export { watchTally } from "./tally";
