import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PackedPackage } from '../support/packed-package.js';
import { compile, node, packPackage, root } from '../support/packed-package.js';
import type { Sample } from '../support/readme-samples.js';
import { comparable, readBlocks, readSamples } from '../support/readme-samples.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.mjs';

const BUILD_MS = 120_000;
const RUN_MS = 60_000;
const JEST = join(root, 'node_modules/jest/bin/jest.js');

const samples = readSamples();
/** What one sample declares for its whole program is none of the others' business. */
const declaring = samples.filter(({ files }) =>
  files.some(({ text }) => text.includes('interface TrackedEvents')),
);
const tests = samples.filter(({ files }) => files.some(isTest));
const programs = samples.filter((sample) => !tests.includes(sample));

describe('the samples of the README', () => {
  let packed: PackedPackage;

  beforeAll(async () => {
    packed = await packPackage();
    await writeSamples(packed.source);
  }, BUILD_MS);

  afterAll(() => packed.remove());

  it('name their files', () => {
    const anonymous = readBlocks().filter(({ language, path }) => language === 'ts' && path === '');
    expect(anonymous).toEqual([]);
  });

  it.each([
    ['with events of their own', declaring.map(({ name }) => name)],
    ['with any events', samples.filter((sample) => !declaring.includes(sample)).map(({ name }) => name)],
  ])(
    'compile, %s',
    async (_how, names) => {
      await writeProject(packed.source, names);
      await expect(compile(packed.source, '-p', 'readme')).resolves.toBeUndefined();
    },
    BUILD_MS,
  );

  it.each(programs.map((sample) => [sample.name, sample] as const))(
    'do what they say: %s',
    async (_name, sample) => {
      const printed = await runProgram(packed.source, sample);
      expect(comparable(printed)).toEqual(comparable(sample.output?.text ?? ''));
    },
    RUN_MS,
  );

  it.each(tests.map(({ name }) => name))(
    'pass as tests: %s',
    async (name) => {
      const folder = join(packed.source, 'readme/dist', name);
      await writeFile(join(folder, 'jest.config.json'), '{}');
      const run = node(
        folder,
        ...['--experimental-vm-modules', JEST, '--rootDir', folder],
        ...['--config', join(folder, 'jest.config.json')],
        ...['--testMatch', '**/*.test.js'],
      );
      await expect(run).resolves.toBeDefined();
    },
    RUN_MS,
  );
});

function isTest({ path }: { readonly path: string }): boolean {
  return path.endsWith('.test.ts');
}

async function writeSamples(source: string): Promise<void> {
  const folder = join(source, 'readme');
  for (const { path, text } of samples.flatMap(({ files }) => files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

async function writeProject(source: string, include: readonly string[]): Promise<void> {
  await writeFile(
    join(source, 'readme/tsconfig.json'),
    JSON.stringify({
      extends: '../tsconfig.json',
      compilerOptions: {
        noEmit: false,
        outDir: 'dist',
        rootDir: '.',
        paths: {},
        types: ['node'],
        // What most apps have.
        noPropertyAccessFromIndexSignature: false,
      },
      include,
    }),
  );
}

/** Runs each file, or `main.ts` alone where there is one; answers what was printed. */
async function runProgram(source: string, sample: Sample): Promise<string> {
  const folder = join(source, 'readme/dist', sample.name);
  const names = sample.files.map(({ path }) => path.slice(sample.name.length + 1).replace(/\.ts$/, '.js'));
  if (sample.calls.length > 0) {
    return serve(folder, sample);
  }
  const entries = names.includes('main.js') ? ['main.js'] : names;
  const printed = [];
  for (const entry of entries) {
    printed.push(await node(folder, entry));
  }
  return printed.join('');
}

/** Runs the server, makes the calls, and stops it as a deploy would. */
async function serve(folder: string, sample: Sample): Promise<string> {
  const port = await freePort();
  const server = spawn(process.execPath, ['main.js'], {
    cwd: folder,
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const exited = once(server, 'exit') as Promise<[number | null, string]>;
  await eventually(() => fetch(`http://localhost:${port}/`));
  for (const call of sample.calls) {
    const [code] = (await once(
      spawn('sh', ['-c', call.replaceAll(':3000', `:${port}`)], {
        stdio: 'ignore',
      }),
      'exit',
    )) as [number];
    expect([call, code]).toEqual([call, 0]);
  }
  server.kill('SIGTERM');
  await exited;
  return printed;
}
