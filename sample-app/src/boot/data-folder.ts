import { accessSync, constants, mkdirSync } from 'node:fs';
import { StartError } from './start-error.js';

/**
 * Makes the folder where the counters are kept, if it is missing. Nothing else is in it: to begin anew, delete it.
 *
 * @throws StartError
 */
export function requireDataFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new StartError(
      `DATA_DIR: expected a folder that can be written to, got ${JSON.stringify(path)} (${String((error as NodeJS.ErrnoException).code)}).`,
      { cause: error },
    );
  }
}
