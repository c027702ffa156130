import { readFileSync, readlinkSync } from 'node:fs';

/** Which process something belongs to. What is unknown, outside Linux, is absent. */
export interface ProcessIdentity {
  readonly pid?: number;
  /** In clock ticks since the machine started: tells two processes of one pid apart. */
  readonly startTime?: string;
  /** Of this run of the machine. */
  readonly bootId?: string;
  readonly pidNamespace?: string;
}

export function ownIdentity(): ProcessIdentity {
  try {
    const pid = Number(readlinkSync('/proc/self'));
    const startTime = startTimeOf(pid);
    return {
      pid,
      ...(startTime === undefined ? {} : { startTime }),
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
      pidNamespace: readlinkSync('/proc/self/ns/pid'),
    };
  } catch {
    return {};
  }
}

/** Whether a process has certainly ended: only those of one run of one machine, in one PID namespace, can know. */
export function hasEnded(
  { pid, startTime, bootId, pidNamespace }: ProcessIdentity,
  self: ProcessIdentity,
): boolean {
  return (
    pid !== undefined &&
    startTime !== undefined &&
    bootId !== undefined &&
    bootId === self.bootId &&
    pidNamespace === self.pidNamespace &&
    startTimeOf(pid) !== startTime
  );
}

function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may hold anything. After it: the state is field 3, the start time field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie runs no more.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
