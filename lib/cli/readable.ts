const UNITS: readonly string[] = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
const STEP = 1024;

/** Numbers as people read them. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function events(value: number): string {
  return `${count(value)} ${value === 1 ? 'event' : 'events'}`;
}

export function bytes(value: number): string {
  let unit = 0;
  let size = value;
  while (size >= STEP && unit < UNITS.length - 1) {
    size /= STEP;
    unit++;
  }
  return `${unit === 0 ? count(size) : size.toFixed(1)} ${UNITS[unit] as string}`;
}

/** The two largest units of a time. */
export function duration(ms: number): string {
  const parts: [number, string][] = [
    [Math.floor(ms / 86_400_000), 'd'],
    [Math.floor(ms / 3_600_000) % 24, 'h'],
    [Math.floor(ms / 60_000) % 60, 'min'],
    [Math.floor(ms / 1_000) % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  return first < 0
    ? `${Math.floor(ms)} ms`
    : parts
        .slice(first, first + 2)
        .filter(([value]) => value > 0)
        .map(([value, unit]) => `${value} ${unit}`)
        .join(' ');
}
