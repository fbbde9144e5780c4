/** The account that is signed in on the organiser's page. */
export interface Account {
  email: string;
  /** Whether its ID token has the organiser's claim, which the rules and the functions check too. */
  isOrganiser: boolean;
  /** Whether the page is watching for the account to become an organiser's. */
  isWatched: boolean;
}
