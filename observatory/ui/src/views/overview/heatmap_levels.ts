/** How strong a cell is, by how many traces are in it. */

export const LEVELS = [1, 2, 3, 4, 5, 6];

/** From 1 (one trace) to 6 (as many as any cell has), logarithmic. */
export function levelOf(traces: number, most: number): number {
  if (most <= 1) return 3;
  return 1 + Math.round((Math.log(traces) / Math.log(most)) * (LEVELS.length - 1));
}
