import { accessSync, constants, mkdirSync } from 'node:fs';
import { StartError } from './start-error.js';

/**
 * Makes the folder of what outlives the app, if it is missing. To begin anew, delete it.
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
