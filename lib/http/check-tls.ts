import type { SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { errorMessage } from '../core/describe.js';
import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';

/** Certificates and keys that cannot be used fail the boot, not every request. Values are not shown: some are keys. */
export function checkTls(problems: Problems, tls: unknown): void {
  if (!isRecord(tls)) {
    problems.addLine('tls', 'expected an object');
    return;
  }
  for (const key of ['servername', 'passphrase']) {
    problems.optional(tls[key], (value) => {
      if (typeof value !== 'string') {
        problems.addLine(`tls.${key}`, 'expected a string');
      }
    });
  }
  problems.optional(tls['rejectUnauthorized'], (value) => {
    problems.boolean('tls.rejectUnauthorized', value);
  });
  const { ca, cert, key, passphrase } = tls as SecureContextOptions;
  try {
    createSecureContext({
      ...{ ca, cert, key },
      ...(typeof passphrase === 'string' ? { passphrase } : {}),
    });
  } catch (error) {
    problems.addLine('tls', `cannot be used: ${errorMessage(error)}`);
  }
}
