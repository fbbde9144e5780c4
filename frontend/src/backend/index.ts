/** Everything of the page that is Firebase, in one chunk that loads beside the first paint. */
export { signInAsGuest, signOut, watchBuyer } from "./buyer";
export { callFunction, functionUrl } from "./functions";
export type { Live } from "./live";
export { createOrder, newOrderId, watchOrders } from "./orders";
export { watchShows } from "./shows";
export { watchTickets } from "./tickets";
