import { readFileSync } from 'node:fs';
import { defineConfig, globalIgnores } from 'eslint/config';
import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import prettier from 'eslint-config-prettier/flat';
import jest from 'eslint-plugin-jest';

// The same list holds test/architecture, which also knows why each file is on it.
const edgeFiles = Object.keys(
  JSON.parse(readFileSync(new URL('test/support/edge-files.json', import.meta.url), 'utf8')),
);
const OUTSIDE = 'Take it from the outside: the clock, the report, an option.';
const MODULES_OF_THE_EDGE = ['process', 'console', 'timers', 'timers/promises'];

export default defineConfig(
  globalIgnores([
    '**/dist/',
    'coverage/',
    'temp/',
    // Packages of their own: their types are there only once they are installed.
    'test/bench/',
    'test/packaging/nest-*/',
  ]),
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: { URL: 'readonly', fetch: 'readonly' },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // Nest modules are empty decorated classes.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // Safe with emitDecoratorMetadata: the rule leaves imports alone that decorator metadata needs.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      // It asks for the `!` that no-non-null-assertion forbids.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['lib/**/*.ts'],
    ignores: edgeFiles,
    rules: {
      'no-restricted-globals': [
        'error',
        {
          globals: ['process', 'console', 'performance', 'setTimeout', 'setInterval', 'setImmediate'].map(
            (name) => ({ name, message: OUTSIDE }),
          ),
          checkGlobalObject: true,
        },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: OUTSIDE },
        { object: 'Math', property: 'random', message: OUTSIDE },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: MODULES_OF_THE_EDGE.flatMap((name) => [
            { name, message: OUTSIDE },
            { name: `node:${name}`, message: OUTSIDE },
          ]),
        },
      ],
    },
  },
  {
    files: ['sample-app/**/*.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      // Nest's options are classes that everybody writes as literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    ...jest.configs['flat/recommended'],
    rules: {
      ...jest.configs['flat/recommended'].rules,
      // `run` is a test of a contract suite.
      'jest/expect-expect': [
        'warn',
        { assertFunctionNames: ['expect', 'expect*', 'request.**.expect', 'run'] },
      ],
      'jest/no-disabled-tests': 'error',
      // Tests hand methods to spies and payloads of any shape to matchers.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  prettier,
);
