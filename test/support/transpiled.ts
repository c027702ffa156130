import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { transformFile } from '@swc/core';
import { root } from './prepare.mjs';

/** The library and one program as JavaScript, so that a test can run them in a process of their own without a build. */
export interface Transpiled {
  /** The file to run. */
  readonly main: string;
  remove(): Promise<void>;
}

/** @param program below `test/support`, without its extension */
export async function transpiled(program: string): Promise<Transpiled> {
  const temp = path.join(root, 'temp');
  await mkdir(temp, { recursive: true });
  const folder = await mkdtemp(path.join(temp, 'transpiled-'));
  const main = path.join('test', 'support', program);
  const names = await readdir(path.join(root, 'lib'), { recursive: true });
  const sources = names.filter((name) => name.endsWith('.ts')).map((name) => path.join('lib', name));
  for (const source of [...sources, `${main}.ts`]) {
    const { code } = await transformFile(path.join(root, source), {
      swcrc: false,
      module: { type: 'es6' },
      jsc: {
        target: 'es2023',
        keepClassNames: true,
        parser: { syntax: 'typescript', decorators: true },
        transform: {
          legacyDecorator: true,
          decoratorMetadata: true,
          useDefineForClassFields: true,
        },
      },
    });
    const target = path.join(folder, source.replace(/\.ts$/, '.js'));
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, code);
  }
  return {
    main: path.join(folder, `${main}.js`),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
