/** The colour level of a heatmap cell. */

export const LEVELS = [1, 2, 3, 4, 5, 6];

/**
 * Return a level from 1, for one trace, to 6, for the fullest cell, on a logarithmic scale.
 *
 * @param fullest the number of traces in the fullest cell.
 */
export function levelOf(traces: number, fullest: number): number {
  if (fullest <= 1) return 3;
  return 1 + Math.round((Math.log(traces) / Math.log(fullest)) * (LEVELS.length - 1));
}
