import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder for what the sample app keeps in a test. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'marathon-'));
}
