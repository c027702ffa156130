import { lmdbBacklog } from '../../../dist/lmdb.js';
import { ours } from './ours.mjs';

export const oursOnDisk = (url, folder) => ours(url, { backlog: lmdbBacklog({ path: folder }) });
