import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = fileURLToPath(new URL('../../', import.meta.url));

const run = promisify(execFile);
const TSC = join(root, 'node_modules/typescript/bin/tsc');
const SOURCES = [...['lib', 'package.json', 'tsconfig.json'], ...['LICENSE', 'README.md', 'CHANGELOG.md']];

export interface PackedPackage {
  readonly tarball: string;
  /** The copy that it was packed from: there, the package's own name and everything in node_modules can be imported. */
  readonly source: string;
  /** The unpacked package, in a place without any node_modules above it. */
  readonly folder: string;
  /** What npm put in, from the package's root. */
  readonly files: readonly string[];
  remove(): Promise<void>;
}

/** Builds and packs a copy of the repository, so that dist/ is not taken from under tests that run at the same time. */
export async function packPackage(): Promise<PackedPackage> {
  const place = await mkdtemp(join(tmpdir(), 'nestjs-tracking-pack-'));
  const copy = join(place, 'source');
  await mkdir(copy);
  for (const name of SOURCES.filter((source) => existsSync(join(root, source)))) {
    await cp(join(root, name), join(copy, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
  await compile(copy, '-b', 'lib');
  const packed = await npm(copy, 'pack', '--json', '--ignore-scripts', '--pack-destination', place);
  const [report] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  const tarball = join(place, report.filename);
  await run('tar', ['-xzf', tarball, '-C', place]);
  return {
    tarball,
    source: copy,
    folder: join(place, 'package'),
    files: report.files.map(({ path }) => path),
    remove: () => rm(place, { recursive: true, force: true }),
  };
}

/** Copies an app of test/packaging with what all of them share, installs it with the tarball, and compiles it. */
export async function installConsumer(name: string, tarball: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  for (const source of ['nest-app', name]) {
    await cp(join(root, 'test/packaging', source), folder, { recursive: true });
  }
  await npm(
    folder,
    ...['install', '--no-package-lock', '--ignore-scripts', '--prefer-offline'],
    ...['--no-audit', '--no-fund', tarball],
  );
  await compile(folder, '-p', '.');
  return folder;
}

/** Runs the tests of an installed app with the Jest and the transform of this repository. Rejects when one fails. */
export async function jestOf(folder: string): Promise<string> {
  await mkdir(join(folder, 'node_modules/@swc'), { recursive: true });
  await symlink(join(root, 'node_modules/@swc/jest'), join(folder, 'node_modules/@swc/jest'), 'junction');
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const { stderr } = await run(process.execPath, [jest, '--ci'], {
    cwd: folder,
    // What this run's Jest tells its workers is not for another.
    env: { PATH: process.env['PATH'] },
  });
  return stderr;
}

/** Runs this Node; answers what it printed. Rejects, with what it complained about, when it fails. */
export async function node(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, args, { cwd });
  return stdout;
}

/** Runs the TypeScript compiler; rejects with what it complained about. */
export async function compile(cwd: string, ...args: string[]): Promise<void> {
  try {
    await node(cwd, TSC, ...args);
  } catch (error) {
    // tsc complains on its standard output, which the error's message leaves out.
    throw new Error((error as { stdout: string }).stdout, { cause: error });
  }
}

function npm(cwd: string, ...args: string[]): Promise<string> {
  const cli = process.env['npm_execpath'];
  return cli?.endsWith('npm-cli.js')
    ? node(cwd, cli, ...args)
    : run('npm', args, { cwd }).then(({ stdout }) => stdout);
}
