/**
 * Run one piece of work at a time, each at least `pauseMs` after the one before has succeeded.
 *
 * @returns a function that runs `work` when its turn comes, and settles as it does.
 */
export function inTurn(pauseMs: number): <T>(work: () => Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = turn.then(work);
    turn = result.then(
      () => new Promise((resolve) => setTimeout(resolve, pauseMs)),
      () => undefined,
    );
    return result;
  };
}
