import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly path: string;
  grow(kib: number): void;
  unmount(): void;
}

/** A file system in memory of so many KiB; needs the right to mount. */
export function smallDisk(kib: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', path], {
      stdio: 'pipe',
    });
  } catch (error) {
    rmdirSync(path);
    throw new Error('this test needs a small file system: run it as root, where mount is permitted', {
      cause: error,
    });
  }
  return {
    path,
    grow: (to) => {
      execFileSync('mount', ['-o', `remount,size=${to}k`, path]);
    },
    unmount: () => {
      execFileSync('umount', ['-l', path]);
      rmdirSync(path);
    },
  };
}
