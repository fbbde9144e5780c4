/** Everything of the organiser's page that is Firebase, in chunks that load beside the first paint. */
export { callFunction, functionUrl } from "../functions";
export { watchShows } from "../shows";
export { checkClaimAgain, signIn, signOut, watchOrganiser } from "./account";
export { createShow, newShowId } from "./newShow";
export { watchSales } from "./sales";
export { watchTally } from "./tally";
