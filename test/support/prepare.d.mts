/** A lock file of npm, as far as it is read. */
export interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly optional?: boolean } | undefined>
  >;
}

export const root: string;
export function fail(line: string, exitCode?: number): never;
export function say(line: string): void;
export function prepare(): void;
export function runNode(args: readonly string[]): number;
export function satisfies(version: string, range: string): boolean;
export function differs(wanted: Lock, installed: Lock): boolean;
