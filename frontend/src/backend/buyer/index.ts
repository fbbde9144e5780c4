/** Everything of the page that is Firebase, in one chunk that loads beside the first paint. */

export { callFunction, functionUrl } from "../functions";
export { createOrder, newOrderId, watchOrders } from "../orders";
export { watchShows } from "../shows";
export { signInAsGuest, signOut, watchBuyer } from "./account";
export { watchTickets } from "./tickets";
