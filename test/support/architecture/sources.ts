import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** A file below lib/, parsed. The rules see nothing else, so that tests can hand them made-up ones. */
export interface Source {
  /** From the repository's root, with forward slashes: `lib/core/ids.ts`. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

export interface Import {
  readonly specifier: string;
  /** The file it means, for a relative one. */
  readonly target?: string;
}

export function source(path: string, text: string): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, text, tree };
}

export function readSources(root: string, folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => source(path, readFileSync(join(root, path), 'utf8')));
}

/** Imports, re-exports, dynamic imports and `import('…')` types alike: each ties the file to another. */
export function importsOf({ path, tree }: Source): Import[] {
  const specifiers: string[] = [];
  visit(tree, (node) => {
    const specifier = specifierOf(node);
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      specifiers.push(specifier.text);
    }
  });
  return specifiers.map((specifier) =>
    specifier.startsWith('.') ? { specifier, target: resolve(path, specifier) } : { specifier },
  );
}

export function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => {
    visit(child, see);
  });
}

/** `lib/core/ids.ts:12`, for messages. */
export function at({ path, tree }: Source, node: ts.Node): string {
  const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree));
  return `${path}:${line + 1}`;
}

/** `core` of `lib/core/ids.ts`; nothing for an entry, which lies in lib/ itself. */
export function folderOf(path: string): string | undefined {
  return /^lib\/([^/]+)\//.exec(path)?.[1];
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier;
  }
  if (ts.isImportTypeNode(node)) {
    return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  }
  const dynamic =
    ts.isCallExpression(node) &&
    (node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require');
  return dynamic ? node.arguments[0] : undefined;
}

function resolve(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}
