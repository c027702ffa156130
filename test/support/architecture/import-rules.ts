import { ENTRY_PACKAGES, FOLDERS, PROGRAMS, STAR_EXPORTS, STATE_FILES } from './folders.js';
import type { FolderRule } from './folders.js';
import type { Import, Source } from './sources.js';
import { at, folderOf, importsOf } from './sources.js';
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';

/** Each folder imports only what its rule names, and nobody imports an entry. */
export function checkDirections(
  sources: readonly Source[],
  folders: Readonly<Record<string, FolderRule>> = FOLDERS,
): string[] {
  return sources.flatMap((source) => {
    const folder = folderOf(source.path);
    if (folder === undefined) {
      return [];
    }
    const rule = folders[folder];
    return rule === undefined
      ? [`${source.path}: no rule for the folder ${folder}`]
      : importsOf(source)
          .filter((found) => !isAllowed(found, folder, rule))
          .map(({ specifier }) => `${source.path} must not import ${specifier}`);
  });
}

/** A rule about files that are gone holds nothing. A folder's line may stand there before the folder. */
export function checkRuleTargets(
  sources: readonly Source[],
  folders: Readonly<Record<string, FolderRule>> = FOLDERS,
): string[] {
  const paths = sources.map(({ path }) => path);
  const allowed = Object.values(folders).flatMap(({ lib }) => lib.filter((entry) => entry.includes('/')));
  return [
    ...new Set(allowed.filter((entry) => !paths.some((path) => matches(path, entry)))),
    ...[...Object.keys(ENTRY_PACKAGES), ...Object.keys(PROGRAMS), ...STATE_FILES].filter(
      (path) => !paths.includes(path),
    ),
    ...Object.entries(STAR_EXPORTS)
      .flatMap(([path, targets]) => [path, ...targets])
      .filter((path) => !paths.includes(path)),
  ].map((path) => `a rule names ${path}, which is gone`);
}

/** No file reaches itself over its imports, types included: what cannot be read apart is one thing. */
export function checkCycles(sources: readonly Source[]): string[] {
  return cyclesIn(graphOf(sources));
}

/** Nor does a folder: two folders that need each other are one concept in two places. Entries are no folder. */
export function checkFolderCycles(sources: readonly Source[]): string[] {
  const folders = new Map<string, string[]>();
  for (const [path, targets] of graphOf(sources)) {
    const folder = posix.dirname(path);
    const others = targets.map((target) => posix.dirname(target)).filter((other) => other !== folder);
    if (folder !== 'lib') {
      folders.set(folder, [...(folders.get(folder) ?? []), ...others]);
    }
  }
  return cyclesIn(folders);
}

function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const problems: string[] = [];
  const walk = (node: string, trail: readonly string[]): void => {
    const start = trail.indexOf(node);
    if (start >= 0) {
      problems.push(`cycle: ${[...trail.slice(start), node].join(' → ')}`);
    } else if (!done.has(node)) {
      for (const next of graph.get(node) ?? []) {
        walk(next, [...trail, node]);
      }
      done.add(node);
    }
  };
  for (const node of graph.keys()) {
    walk(node, []);
  }
  return problems;
}

/** An entry is a list of names: re-exports from lib's folders, each name spelled out. A program only starts. */
export function checkEntries(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => folderOf(path) === undefined)
    .flatMap((source) => [
      ...source.tree.statements
        .filter((statement) => !(source.path in PROGRAMS) && !isReExport(statement))
        .map((statement) => `${at(source, statement)}: an entry only re-exports`),
      ...importsOf(source)
        .filter(({ target }) => target !== undefined && folderOf(target) === undefined)
        .filter(({ target }) => !mayStar(source.path, target))
        .map(({ specifier }) => `${source.path} must not import the entry ${specifier}`),
    ]);
}

/** `export *` hides what a module gives away. */
export function checkStarExports(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    source.tree.statements
      .filter(ts.isExportDeclaration)
      .filter(({ exportClause }) => !exportClause || ts.isNamespaceExport(exportClause))
      .filter((star) => !isAllowedStar(source, star))
      .map((star) => `${at(source, star)}: name what is exported`),
  );
}

/** Whoever loads an entry needs only the packages that it promises to need. Types count: they need them too. */
export function checkEntryPackages(
  sources: readonly Source[],
  entries: Readonly<Record<string, readonly string[]>> = {
    ...ENTRY_PACKAGES,
    ...PROGRAMS,
  },
): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const graph = graphOf(sources);
  return sources
    .filter(({ path }) => folderOf(path) === undefined)
    .flatMap(({ path }) => {
      const allowed = entries[path];
      return allowed === undefined
        ? [`${path}: no line in ENTRY_PACKAGES`]
        : reachable(path, graph)
            .flatMap((reached) => packagesOf(byPath.get(reached), reached))
            .filter(([name]) => !allowed.includes(name))
            .map(([name, by]) => `${path} must not need ${name}, which ${by} imports`);
    });
}

function isAllowed({ specifier, target }: Import, folder: string, rule: FolderRule): boolean {
  if (target !== undefined) {
    return folderOf(target) === folder || rule.lib.some((allowed) => matches(target, allowed));
  }
  return isBuiltin(specifier)
    ? rule.node === 'any' || (rule.node?.includes(specifier) ?? false)
    : (rule.packages?.includes(packageName(specifier)) ?? false);
}

/** Is a file in an allowed folder, or one of the allowed files? */
function matches(path: string, allowed: string): boolean {
  const pattern = allowed.includes('/')
    ? `${allowed.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}\\.ts`
    : `${allowed}/.+`;
  return new RegExp(`^lib/${pattern}$`).test(path);
}

function isReExport(statement: ts.Statement): boolean {
  return ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined;
}

function isAllowedStar(source: Source, star: ts.ExportDeclaration): boolean {
  const from = star.moduleSpecifier?.getText(source.tree).slice(1, -1);
  return (
    star.exportClause === undefined &&
    importsOf(source).some(({ specifier, target }) => specifier === from && mayStar(source.path, target))
  );
}

function mayStar(path: string, target: string | undefined): boolean {
  return STAR_EXPORTS[path]?.includes(target ?? '') === true;
}

function graphOf(sources: readonly Source[]): Map<string, string[]> {
  return new Map(
    sources.map((source) => [source.path, importsOf(source).flatMap(({ target }) => target ?? [])]),
  );
}

function reachable(from: string, graph: Map<string, string[]>): string[] {
  const seen = new Set([from]);
  // A set visits what is added while it is iterated.
  for (const path of seen) {
    graph.get(path)?.forEach((next) => seen.add(next));
  }
  return [...seen];
}

function packagesOf(source: Source | undefined, path: string): (readonly [name: string, by: string])[] {
  return (source ? importsOf(source) : [])
    .filter(({ specifier, target }) => target === undefined && !isBuiltin(specifier))
    .map(({ specifier }) => [packageName(specifier), path]);
}

/** `@nestjs/core` of `@nestjs/core/router`, `rxjs` of `rxjs/operators`. */
function packageName(specifier: string): string {
  return /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
}
