import type { TrackedEvent } from '../event/event.js';
import type { NodeServices, TopologyNode } from './node.js';
import type { Trace } from './outcome.js';
import { ProcessorChain, together } from '../processing/processor-chain.js';
import type { ProcessingStep } from '../processing/processing-step.js';

/** A node that routes: its processors first, then its children in the order of their keys. */
export class RouterNode implements TopologyNode {
  readonly children = new Map<string, TopologyNode>();
  private readonly chain: ProcessorChain;

  constructor(
    readonly path: string,
    private readonly steps: readonly ProcessingStep[],
    private readonly services: NodeServices,
  ) {
    this.chain = new ProcessorChain(path, services, (event, trace) =>
      this.fanOut(event, trace),
    );
  }

  dispatch(event: TrackedEvent, trace?: Trace): Promise<void> | undefined {
    return this.steps.length === 0
      ? this.fanOut(event, trace)
      : this.chain.run(event, this.steps, 0, trace);
  }

  /** Runs further processors before this node's own: those of a child tracker. */
  dispatchThrough(
    steps: readonly ProcessingStep[],
    event: TrackedEvent,
    trace?: Trace,
  ): Promise<void> | undefined {
    return this.chain.run(event, [...steps, ...this.steps], 0, trace);
  }

  private fanOut(
    event: TrackedEvent,
    trace: Trace | undefined,
  ): Promise<void> | undefined {
    if (this.path === '') {
      this.services.counts.accepted++;
    }
    let underWay: Promise<void>[] | undefined;
    for (const child of this.children.values()) {
      const promise = child.dispatch(event, trace);
      if (promise !== undefined) {
        (underWay ??= []).push(promise);
      }
    }
    return underWay === undefined ? undefined : together(underWay);
  }
}
