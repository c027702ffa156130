/** Lets a process of a test import TypeScript: what jest does, for Node itself. */
import { existsSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transformSync } from '@swc/core';

if (isMainThread) {
  register(import.meta.url);
}

const OURS = /^nestjs-tracking(?:\/(.+))?$/;

/** TypeScript names the files that it will have made, and the sample app names the package. */
export function resolve(specifier, context, next) {
  if (/^(?:\.|file:).*\.js$/.test(specifier)) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(source)) {
      return { url: source.href, format: 'module', shortCircuit: true };
    }
  }
  const ours = OURS.exec(specifier);
  if (ours) {
    const entry = (ours[1] ?? 'index').replace('/', '-');
    return {
      url: new URL(`../../lib/${entry}.ts`, import.meta.url).href,
      format: 'module',
      shortCircuit: true,
    };
  }
  return next(specifier, context);
}

export function load(url, context, next) {
  if (!url.endsWith('.ts')) {
    return next(url, context);
  }
  const { code } = transformSync(readFileSync(fileURLToPath(url), 'utf8'), {
    swcrc: false,
    filename: fileURLToPath(url),
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type: 'es6' },
  });
  return { format: 'module', source: code, shortCircuit: true };
}
