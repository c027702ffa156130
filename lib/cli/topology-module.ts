import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorMessage } from '../core/describe.js';
import type { TrackerOptions } from '../core/create-tracker.js';
import { isRecord } from '../core/options.js';
import { CommandFailure } from './command-errors.js';

/**
 * The options of a tracker that a module exports: as default, as `options`, or as a function that makes them. Of them
 * only what delivers counts; options of Nest may stand beside.
 *
 * @throws CommandFailure
 */
export async function loadTopology(folder: string, file: string): Promise<TrackerOptions> {
  const found = await exportsOf(folder, file);
  for (const candidate of found) {
    const options = await made(candidate, file);
    if (isRecord(options) && isRecord(options['backends'])) {
      const { backends, limits, onError } = options as unknown as TrackerOptions;
      return {
        backends,
        ...(limits === undefined ? {} : { limits }),
        ...(onError === undefined ? {} : { onError }),
      };
    }
  }
  throw new CommandFailure(
    `expected ${file} to export the options of a tracker, { backends }, as default or as options`,
  );
}

async function exportsOf(folder: string, file: string): Promise<unknown[]> {
  try {
    const url = pathToFileURL(resolve(folder, file)).href;
    const found = (await import(url)) as Record<string, unknown>;
    const { default: standard, options } = found;
    // Of a module that was compiled to CommonJS, the default export stands in that of the module.
    const inner = isRecord(standard) ? [standard['options'], standard['default']] : [];
    return [options, standard, ...inner];
  } catch (error) {
    throw new CommandFailure(`${file} cannot be loaded: ${errorMessage(error)}`);
  }
}

async function made(candidate: unknown, file: string): Promise<unknown> {
  if (typeof candidate !== 'function') {
    return candidate;
  }
  try {
    return await (candidate as () => unknown)();
  } catch (error) {
    throw new CommandFailure(`the options of ${file} cannot be made: ${errorMessage(error)}`);
  }
}
