const NOTHING = '▁';
const BARS = '▂▃▄▅▆▇';

/** One bar for each value, as high as its share of the peak. Whatever is more than nothing can be seen. */
export function sparkline(values: readonly number[], peak: number): string {
  return values
    .map((value) => (value > 0 ? (BARS[Math.ceil((value / peak) * BARS.length) - 1] ?? NOTHING) : NOTHING))
    .join('');
}
