import type { Change, WriteOptions } from '../metrics/metrics-store.js';
import { HOURS_PER_BLOCK, OverflowError } from '../metrics/metrics-store.js';
import type { Settled } from '../metrics/write-queue.js';
import type { RedisMoment } from './redis-moment.js';
import { redisMoment } from './redis-moment.js';

/** Changes that take effect together, with what their store was told beside them. */
export interface Increment {
  readonly changes: readonly Change[];
  readonly options: WriteOptions;
}

/** One call of the script: what it is given, and which changes of which increments that is. */
export interface IncrementCall {
  readonly keys: readonly string[];
  readonly moments: readonly RedisMoment[];
  readonly operations: readonly (readonly (string | number)[])[];
  readonly places: readonly {
    readonly increment: number;
    readonly changes: readonly number[];
  }[];
}

/**
 * Spreads increments over calls: one for all, or, where subjects lie on several servers, one for each subject.
 *
 * @param baseOf the base of a subject's keys
 */
export function planCalls(
  increments: readonly Increment[],
  baseOf: (subject: string) => string,
  isCluster: boolean,
): IncrementCall[] {
  const calls = new Map<string, Planner>();
  increments.forEach(({ changes, options }, increment) => {
    changes.forEach((change, index) => {
      const base = baseOf(change.subject);
      const lane = isCluster ? base : '';
      let call = calls.get(lane);
      if (call === undefined) {
        call = new Planner();
        calls.set(lane, call);
      }
      call.begin(increment);
      call.add(base, index, change, options);
    });
  });
  return [...calls.values()];
}

class Planner implements IncrementCall {
  readonly keys: string[] = [];
  readonly moments: RedisMoment[] = [];
  readonly operations: (string | number)[][] = [];
  readonly places: { increment: number; changes: number[] }[] = [];
  private readonly keyNumbers = new Map<string, number>();
  private readonly momentNumbers = new Map<number, number>();
  private operation: (string | number)[] = [];
  private changes: number[] = [];

  begin(increment: number): void {
    if (this.places.at(-1)?.increment !== increment) {
      this.operation = [];
      this.changes = [];
      this.operations.push(this.operation);
      this.places.push({ increment, changes: this.changes });
    }
  }

  add(base: string, index: number, { metric, by, day, hour }: Change, options: WriteOptions): void {
    let key = this.keyNumbers.get(base);
    if (key === undefined) {
      key = this.keys.push(base);
      this.keyNumbers.set(base, key);
    }
    const moment = day === undefined || hour === undefined ? 0 : this.momentNumber(day, hour, options);
    this.operation.push(key, metric, String(by), moment);
    this.changes.push(index);
  }

  private momentNumber(day: number, hour: number, options: WriteOptions): number {
    const id = day * HOURS_PER_BLOCK + hour;
    let number = this.momentNumbers.get(id);
    if (number === undefined) {
      number = this.moments.push(redisMoment(day, hour, options));
      this.momentNumbers.set(id, number);
    }
    return number;
  }
}

/**
 * Puts the answers to all calls together: totals in the order of the changes, or the reason why there are none. A call
 * that failed may have been done nonetheless, so it decides before what was refused.
 */
export function gatherAnswers(
  increments: readonly Increment[],
  calls: readonly IncrementCall[],
  answers: readonly Settled<unknown>[],
): Settled<readonly number[]>[] {
  const gathered = increments.map(({ changes }) => new Gathered(changes));
  calls.forEach(({ places }, nth) => {
    const answer = answers[nth] as Settled<unknown>;
    places.forEach(({ increment, changes }, at) => {
      const of = gathered[increment] as Gathered;
      if ('error' in answer) {
        of.failure ??= answer;
        return;
      }
      const found = (answer.value as (number | (number | string)[])[])[at];
      if (typeof found === 'number') {
        of.refused.push(changes[found] as number);
      }
      if (Array.isArray(found)) {
        found.forEach((total, index) => {
          of.totals[changes[index] as number] = Number(total);
        });
      }
    });
  });
  return gathered.map((of) => of.settled(calls.length > 1));
}

/** The answers about one increment. */
class Gathered {
  readonly totals: number[] = [];
  /** The changes that could not be made, by their number. */
  readonly refused: number[] = [];
  failure: Settled<never> | undefined;

  constructor(private readonly changes: readonly Change[]) {}

  settled(wereSpread: boolean): Settled<readonly number[]> {
    const refused = this.refused.map((nth) => this.changes[nth] as Change);
    const [first] = refused;
    if (this.failure !== undefined || first === undefined) {
      return this.failure ?? { value: this.totals };
    }
    const subjects = wereSpread ? new Set(refused.map(({ subject }) => subject)) : undefined;
    return { error: new OverflowError(first, subjects) };
  }
}
