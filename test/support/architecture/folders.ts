/** What the files of one folder of lib/ may import, beside their own folder. */
export interface FolderRule {
  /** Folders, or files of folders; `*` stands for any part of a file's name. */
  readonly lib: readonly string[];
  /** npm packages, by name; subpaths included. */
  readonly packages?: readonly string[];
  /** Node's own modules, all of them for `any`. */
  readonly node?: readonly string[] | 'any';
}

const NEST = ['@nestjs/common', '@nestjs/core', 'rxjs', 'reflect-metadata'];

/** Who may know whom. A folder that is not in here may not exist: a new concept starts with its line. */
export const FOLDERS: Readonly<Record<string, FolderRule>> = {
  core: {
    lib: [],
    node: ['node:async_hooks', 'node:crypto', 'node:diagnostics_channel'],
  },

  processors: { lib: ['core'], node: ['node:crypto'] },
  backends: { lib: ['core'], node: 'any' },
  formats: { lib: ['core'], node: 'any' },
  delivery: { lib: ['core', 'formats/encoder'], node: 'any' },
  metrics: { lib: ['core'], node: 'any' },
  schema: { lib: ['core'], node: 'any' },

  express: { lib: ['core'], node: 'any' },
  nest: {
    lib: ['core', 'express/request-*', 'express/incoming-request', 'metrics/metrics'],
    packages: NEST,
    node: ['node:async_hooks', 'node:http'],
  },

  http: {
    lib: ['core', 'delivery', 'formats'],
    packages: ['undici'],
    node: 'any',
  },
  lmdb: {
    lib: ['core', 'delivery', 'metrics'],
    packages: ['lmdb'],
    node: 'any',
  },
  redis: {
    lib: ['core', 'delivery', 'metrics'],
    packages: ['ioredis'],
    node: 'any',
  },
  terminus: {
    lib: ['core', 'delivery/delivery-facts', 'nest/tracking.tokens'],
    packages: [...NEST, '@nestjs/terminus'],
    node: ['node:diagnostics_channel'],
  },
  prometheus: { lib: ['core'], packages: ['prom-client'] },
  bullmq: { lib: ['core'], packages: ['bullmq'], node: 'any' },
  ingest: {
    lib: ['core', 'metrics', 'formats', 'nest/tracking.tokens'],
    packages: NEST,
    node: 'any',
  },
  inspector: {
    lib: ['core', 'metrics', 'formats', 'nest/tracking.tokens'],
    packages: NEST,
    node: 'any',
  },

  // The program: it brings a tracker and its backlog together.
  cli: { lib: ['core', 'delivery', 'lmdb'], node: 'any' },

  // Everything but Nest's internals: its module, its options, its tokens.
  testing: {
    lib: [
      ...['core', 'processors', 'backends', 'formats', 'delivery', 'metrics'],
      ...['schema', 'express', 'http', 'lmdb', 'redis', 'bullmq'],
      ...['nest/tracking.module', 'nest/tracking.options', 'nest/tracking.tokens'],
    ],
    packages: NEST,
    node: 'any',
  },
};

/** The packages that loading an entry may need: who installs none of them can still import the others. */
export const ENTRY_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'lib/index.ts': NEST,
  'lib/core.ts': [],
  'lib/express.ts': [],
  'lib/http.ts': ['undici'],
  'lib/lmdb.ts': ['lmdb'],
  'lib/prometheus.ts': ['prom-client'],
  'lib/redis.ts': ['ioredis'],
  'lib/segment.ts': ['undici'],
  'lib/terminus.ts': [...NEST, '@nestjs/terminus'],
  'lib/testing.ts': [],
  'lib/testing-nest.ts': NEST,
};

/** Entries that are run, not imported, and the packages that they need: they may do more than re-export. */
export const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  'lib/cli.ts': ['lmdb'],
};

/** Which entry re-exports all of what. */
export const STAR_EXPORTS: Readonly<Record<string, readonly string[]>> = {
  // Whoever installs the package for Nest finds there what everybody finds in core. No entry builds on another beside this.
  'lib/index.ts': ['lib/core.ts'],
  // TypeScript merges a module augmentation into a re-exported interface only through `export *`.
  'lib/core.ts': ['lib/core/tracked-events.ts'],
};

/** The only place of state that outlives a tracker. */
export const STATE_FILES: readonly string[] = ['lib/core/process-state.ts'];
