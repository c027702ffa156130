/** The options of an app whose one backend is `out`; where it sends and keeps is in the environment. */
import process from 'node:process';
import { httpBackend } from '../../../lib/http.js';
import { lmdbBacklog } from '../../../lib/lmdb.js';

const { BACKLOG_PATH = '', COLLECTOR_URL = '' } = process.env;

export const options = {
  backends: {
    out: httpBackend({
      url: COLLECTOR_URL,
      batch: { maxDelayMs: 5 },
      retry: { baseMs: 5, maxDelayMs: 50 },
      backlog: lmdbBacklog({ path: BACKLOG_PATH }),
    }),
  },
};
