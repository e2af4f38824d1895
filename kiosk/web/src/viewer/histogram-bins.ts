/** Values counted by equal steps from the least to the largest. */

export function binned(values: number[], bins: number): { counts: number[]; least: number; step: number } {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const step = (most - least) / bins || 1;
  const counts = Array.from({ length: bins }, () => 0);
  for (const value of values) counts[binOf(value, least, step, bins)]!++;
  return { counts, least, step };
}

export function binOf(value: number, least: number, step: number, bins: number): number {
  return Math.min(bins - 1, Math.floor((value - least) / step));
}
