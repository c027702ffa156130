/**
 * The public surface, one report per entry of package.json's `exports`, kept in test/packaging/api so that a change is
 * seen in review. Without arguments it writes them; with `--check` it fails when they differ from the build in dist/.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('../../', import.meta.url));
const reports = path.join(root, 'test/packaging/api');
const temporary = path.join(root, 'temp/api');
const check = process.argv.includes('--check');

const packageJson = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const declarations = Object.values(packageJson.exports)
  .map((target) => target.types)
  .filter((file) => file !== undefined);

const problems = declarations.flatMap((file) => report(file));
problems.push(...leftOver());
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(
    `${declarations.length} API reports ${check ? 'are up to date' : 'written to test/packaging/api'}\n`,
  );
}

/** Answers the problems of one entry, in a line each. */
function report(file) {
  const name = path.basename(file, '.d.ts');
  if (!existsSync(path.join(root, file))) {
    return [`API report of ${name}: ${file} is missing; build first (npm run build)`];
  }
  const messages = [];
  mkdirSync(reports, { recursive: true });
  const result = extract(configuration(file, name), (message) => {
    message.handled = true;
    if (message.logLevel === 'error' || message.logLevel === 'warning') {
      messages.push(`API report of ${name}: ${message.text}`);
    }
  });
  if (typeof result === 'string') {
    return [`API report of ${name}: ${result}`];
  }
  if (check && result.apiReportChanged) {
    return [
      `API report of ${name}: the public surface differs from test/packaging/api/${name}.api.md; ` +
        'if that is meant, run "npm run api" and commit the report',
    ];
  }
  return result.succeeded ? [] : messages;
}

/** Declarations with type errors make api-extractor throw: a line is enough, the build says the rest. */
function extract(config, messageCallback) {
  try {
    return Extractor.invoke(config, { localBuild: !check, messageCallback });
  } catch (error) {
    return String(error.message).replace(/\s+/g, ' ').slice(0, 200);
  }
}

/** Reports of entries that are gone would be read as promises. */
function leftOver() {
  const wanted = new Set(declarations.map((file) => `${path.basename(file, '.d.ts')}.api.md`));
  const extra = existsSync(reports) ? readdirSync(reports).filter((file) => !wanted.has(file)) : [];
  if (!check) {
    extra.forEach((file) => rmSync(path.join(reports, file)));
    return [];
  }
  return extra.map(
    (file) => `test/packaging/api/${file} belongs to no entry of "exports"; run "npm run api"`,
  );
}

function configuration(file, name) {
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: path.join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: path.join(root, file),
      compiler: { tsconfigFilePath: path.join(root, 'lib/tsconfig.json') },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: reports,
        reportTempFolder: temporary,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      // Windows checkouts would otherwise differ in every line.
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: { logLevel: 'warning' } },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
        extractorMessageReporting: {
          default: { logLevel: 'warning', addToApiReportFile: true },
          'ae-missing-release-tag': { logLevel: 'none' },
          'ae-undocumented': { logLevel: 'none' },
        },
      },
    },
  });
}
