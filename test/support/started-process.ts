import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './eventually.js';
import { root } from './prepare.mjs';

/** A real process, and what it wrote so far. */
export interface StartedProcess {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits until this was written to standard error; answers the match. Fails when the process ends before. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  /** Nobody reads its standard output any more. */
  stopReading(): void;
  /** Resolves when it has ended and everything is read. */
  ended(): Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
  }>;
}

/** A first build on a busy machine takes its time. */
const START_MS = 60_000;

/** Runs this Node. */
export function startNode(
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; cwd?: string } = {},
): StartedProcess {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  let end: Awaited<ReturnType<StartedProcess['ended']>> | undefined;
  const closed = once(child, 'close').then(([code, signal]) => {
    end = { code: code as number | null, signal: signal as null };
    return end;
  });
  const attempt = (pattern: RegExp): RegExpExecArray | Error => {
    const match = pattern.exec(written.stderr);
    const problem = new Error(`${String(pattern)} not in:\n${written.stderr}`);
    if (match === null && end === undefined) {
      throw problem;
    }
    return match ?? problem;
  };
  return {
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    said: async (pattern) => {
      const found = await eventually(() => attempt(pattern), START_MS);
      if (found instanceof Error) {
        throw found;
      }
      return found;
    },
    kill: (signal) => child.kill(signal),
    stopReading: () => child.stdout.destroy(),
    ended: () => closed,
  };
}
