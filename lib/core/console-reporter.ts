import type { Clock } from './clock.js';
import type { OnError, TrackingReport } from './report.js';
import { errorMessage } from './describe.js';

const WINDOW_MS = 10_000;
/** More keys than this share one line. */
const MAX_KEYS = 200;
const OTHER = 'other';
/** Longer lines help nobody; errors of drivers may carry whole answers. */
const MAX_LINE = 2_000;
const LINE_BREAKS = /\s*[\r\n\u2028\u2029]+\s*/g;

/** Writes one line. */
export type WriteLine = (line: string) => void;

const toStandardError: WriteLine = (line) => {
  console.error(line);
};

interface Window {
  since: number;
  suppressed: number;
}

/**
 * The `onError` of apps that give none: one line per code and path in 10 s. What was held back in the meantime is
 * counted in the next line of the same key.
 */
export function logReports(clock: Clock, write: WriteLine = toStandardError): OnError {
  const windows = new Map<string, Window>();
  return (report) => {
    const key = keyOf(report, windows);
    const now = clock.monotonicMs();
    const window = windows.get(key);
    if (window !== undefined && now - window.since < WINDOW_MS) {
      window.suppressed++;
      return;
    }
    windows.set(key, { since: now, suppressed: 0 });
    write(line(report, window?.suppressed ?? 0));
  };
}

function keyOf(report: TrackingReport, windows: Map<string, Window>): string {
  const key = `${report.code} ${report.path ?? ''}`;
  return windows.has(key) || windows.size < MAX_KEYS ? key : OTHER;
}

function line(report: TrackingReport, suppressed: number): string {
  const { code, path, message, error } = report;
  const place = path === undefined ? '' : ` at ${path}`;
  const cause = error === undefined ? '' : ` (${errorMessage(error)})`;
  const text = `[nestjs-tracking] ${code}${place} - ${message}${cause}`
    .slice(0, MAX_LINE)
    .replace(LINE_BREAKS, ' ');
  return suppressed === 0 ? text : `${text} [and ${suppressed} more since the last such line]`;
}
