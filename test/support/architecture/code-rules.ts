import ts from 'typescript';
import edges from './edge-files.js';
import { STATE_FILES } from './folders.js';
import type { Source } from './sources.js';
import { at, importsOf, visit } from './sources.js';

const MUTABLE = new Set([...['Map', 'Set', 'WeakMap', 'WeakSet', 'Array', 'AsyncLocalStorage']]);
const EDGE_GLOBALS = new Set([
  ...['process', 'console', 'performance'],
  ...['setTimeout', 'setInterval', 'setImmediate'],
]);
const EDGE_PROPERTIES = new Set(['Date.now', 'Math.random']);
const EDGE_MODULE = /^(node:)?(process|console|timers|timers\/promises|perf_hooks)$/;

/** Nothing outlives its owner: no variable of a module or a class that can change, no collection that can be filled. */
export function checkState(sources: readonly Source[], allowed: readonly string[] = STATE_FILES): string[] {
  return sources
    .filter(({ path }) => !allowed.includes(path))
    .flatMap((source) =>
      [
        ...source.tree.statements.filter(ts.isVariableStatement).flatMap(changeable),
        ...source.tree.statements.filter(ts.isClassDeclaration).flatMap(changeableStatics),
      ].map((node) => `${at(source, node)}: state of the module`),
    );
}

/** Time, chance, timers and the process come from the outside, except at the edge. */
export function checkEdges(sources: readonly Source[], allowed: readonly string[] = edges): string[] {
  return sources
    .filter(({ path }) => !allowed.includes(path))
    .flatMap((source) => {
      const found: string[] = importsOf(source)
        .filter(({ specifier }) => EDGE_MODULE.test(specifier))
        .map(({ specifier }) => `${source.path}: ${specifier} belongs to the edge`);
      visit(source.tree, (node) => {
        const use = edgeUse(node);
        if (use !== undefined) {
          found.push(`${at(source, node)}: ${use} belongs to the edge`);
        }
      });
      return found;
    });
}

/** Nothing is allowed to a file that does not need it. */
export function checkEdgeFiles(sources: readonly Source[], allowed: readonly string[] = edges): string[] {
  return allowed
    .filter((path) => {
      const file = sources.filter((source) => source.path === path);
      return checkEdges(file, []).length === 0;
    })
    .map((path) => `${path} needs nothing of the edge, or is gone`);
}

export function checkAny(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const found: string[] = [];
    visit(source.tree, (node) => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) {
        found.push(`${at(source, node)}: any`);
      }
    });
    return found;
  });
}

function changeable(statement: ts.VariableStatement): ts.Node[] {
  const { declarations, flags } = statement.declarationList;
  if (isAmbient(statement)) {
    return [];
  }
  return (flags & ts.NodeFlags.Const) === 0
    ? [statement]
    : declarations.filter(({ type, initializer }) => isMutable(initializer, type));
}

function changeableStatics(declaration: ts.ClassDeclaration): ts.Node[] {
  return declaration.members
    .filter(ts.isPropertyDeclaration)
    .filter((member) => has(member, ts.SyntaxKind.StaticKeyword))
    .filter(
      (member) => !has(member, ts.SyntaxKind.ReadonlyKeyword) || isMutable(member.initializer, member.type),
    );
}

/** A collection, unless its type takes the changing methods away. `as const` and `Object.freeze` are no collections. */
function isMutable(value: ts.Expression | undefined, type: ts.TypeNode | undefined): boolean {
  if (value === undefined) {
    return false;
  }
  const isCollection =
    ts.isArrayLiteralExpression(value) ||
    (ts.isNewExpression(value) && MUTABLE.has(value.expression.getText()));
  return isCollection && !/^(readonly |Readonly)/.test(type?.getText() ?? '');
}

function edgeUse(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node)) {
    return isDate(node.expression) && !node.arguments?.length ? 'new Date()' : undefined;
  }
  if (ts.isPropertyAccessExpression(node)) {
    const text = node.getText();
    const name = node.name.text;
    return EDGE_PROPERTIES.has(text) || (node.expression.getText() === 'globalThis' && EDGE_GLOBALS.has(name))
      ? text
      : undefined;
  }
  return ts.isIdentifier(node) && EDGE_GLOBALS.has(node.text) && isValue(node) && !isParameter(node)
    ? node.text
    : undefined;
}

function isDate(node: ts.Node): boolean {
  return ts.isIdentifier(node) && node.text === 'Date';
}

/** Is the name used for its value? Members, keys and declarations of that name are the file's own, types cost nothing. */
function isValue(node: ts.Identifier): boolean {
  const { parent } = node;
  const names = parent as { name?: ts.Node; propertyName?: ts.Node };
  return (
    ts.isShorthandPropertyAssignment(parent) ||
    (names.name !== node &&
      names.propertyName !== node &&
      !ts.isTypeNode(parent) &&
      !ts.isQualifiedName(parent))
  );
}

/** Is it a parameter of a function around it, and not the global of that name? */
function isParameter(node: ts.Identifier): boolean {
  return (
    ts.findAncestor(
      node,
      (around) =>
        ts.isFunctionLike(around) && around.parameters.some(({ name }) => name.getText() === node.text),
    ) !== undefined
  );
}

function isAmbient(statement: ts.VariableStatement): boolean {
  return has(statement, ts.SyntaxKind.DeclareKeyword);
}

function has(node: ts.HasModifiers, kind: ts.SyntaxKind): boolean {
  return ts.getModifiers(node)?.some((modifier) => modifier.kind === kind) ?? false;
}
