import { join } from 'node:path';
import ts from 'typescript';

const ROOT = process.cwd();
const FILE = join(ROOT, 'test', 'types', 'compiled-app.ts');

/** What the compiler says about an app whose only file this is, in `test/types`: `line: message`. */
export function compileApp(source: string): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (path) => path === FILE || fileExists(path);
  host.getSourceFile = (path, version, onError) =>
    path === FILE ? ts.createSourceFile(path, source, version) : getSourceFile(path, version, onError);
  const program = ts.createProgram([FILE], { ...options, types: ['node'] }, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start = 0 }) => {
    const line = file?.text.slice(0, start).split('\n').length ?? 0;
    return `${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}
