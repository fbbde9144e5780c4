/** What a live query shows at a moment. */
export interface Live<T> {
  items: T[];
  /** False while the list comes from memory because the server cannot be reached. */
  connected: boolean;
}

/** Takes each snapshot of a live query. */
export type Report<T> = (live: Live<T>) => void;

/** Takes the error that ended a live query. */
export type Fail = (error: Error) => void;
