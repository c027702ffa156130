import type { MetricsWriter } from './metrics-writer.js';
import type { FactsRecord, MembersOfDay, WriteId } from './metrics-store.js';
import { OverflowError } from './metrics-store.js';
import type { SummedChange, WaitingEffects } from './waiting-effects.js';

/**
 * Effects on their way into the store.
 *
 * Invariants
 * - A part that was written is not written again, however often the batch is; each attempt at a part has the same id.
 * - A change that the store refuses for its value holds up no other: it is tried alone, and given up.
 */
export class EffectsBatch {
  readonly events: number;
  /** Events that were given up. */
  refused = 0;
  /** What the store said about the last of them. */
  refusal: unknown;
  private changes: { readonly id: WriteId; readonly list: SummedChange[] }[];
  private members: readonly MembersOfDay[];
  private facts: readonly FactsRecord[];
  private readonly factsId: WriteId;

  constructor(
    effects: WaitingEffects,
    private readonly nextId: () => WriteId,
  ) {
    this.events = effects.events;
    const { changes } = effects;
    this.changes = changes.length === 0 ? [] : [{ id: nextId(), list: changes }];
    this.members = effects.members;
    this.facts = effects.facts;
    this.factsId = nextId();
  }

  /** Writes what is not written yet; rejects when the store fails, after which it may be called again. */
  async write(writer: MetricsWriter): Promise<void> {
    while (this.changes[0] !== undefined) {
      await this.writeChanges(this.changes[0], writer);
    }
    if (this.members.length > 0) {
      await writer.addMembers(this.members);
      this.members = [];
    }
    if (this.facts.length > 0) {
      await writer.record(this.facts, this.factsId);
      this.facts = [];
    }
  }

  private async writeChanges(
    { id, list }: { readonly id: WriteId; readonly list: SummedChange[] },
    writer: MetricsWriter,
  ): Promise<void> {
    try {
      await writer.increment(list, id);
      this.changes.shift();
    } catch (error) {
      if (!(error instanceof OverflowError)) {
        throw error;
      }
      const { subjects } = error;
      this.changes.shift();
      this.refuse(
        list.filter(({ subject }) => subjects?.has(subject) ?? true),
        error,
      );
    }
  }

  private refuse(list: SummedChange[], error: OverflowError): void {
    if (list.length > 1) {
      this.split(list);
    } else {
      this.refused += list[0]?.events ?? 0;
      this.refusal = error;
    }
  }

  /** In halves, until what is refused stands alone. */
  private split(list: SummedChange[]): void {
    const middle = list.length >> 1;
    for (const half of [list.slice(middle), list.slice(0, middle)]) {
      this.changes.unshift({ id: this.nextId(), list: half });
    }
  }
}
