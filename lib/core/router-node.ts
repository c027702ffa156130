import type { TrackedEvent } from './event.js';
import type { NodeServices, TopologyNode } from './node.js';
import type { Trace } from './outcome.js';
import { ProcessorChain } from './processor-chain.js';
import type { UnderWay } from './under-way.js';
import { together } from './under-way.js';
import type { ProcessingStep } from './processing-step.js';

/** A node that routes: its processors first, then its children in the order of their keys. */
export class RouterNode implements TopologyNode {
  readonly children = new Map<string, TopologyNode>();
  private readonly chain: ProcessorChain;

  constructor(
    readonly path: string,
    private readonly steps: readonly ProcessingStep[],
    private readonly services: NodeServices,
  ) {
    this.chain = new ProcessorChain(path, services, (event, trace) => this.fanOut(event, trace));
  }

  dispatch(event: TrackedEvent, trace?: Trace): UnderWay | undefined {
    return this.steps.length === 0 ? this.fanOut(event, trace) : this.chain.run(event, this.steps, 0, trace);
  }

  /** Runs further processors before this node's own: those of a child tracker. */
  dispatchThrough(
    steps: readonly ProcessingStep[],
    event: TrackedEvent,
    trace?: Trace,
  ): UnderWay | undefined {
    return this.chain.run(event, [...steps, ...this.steps], 0, trace);
  }

  private fanOut(event: TrackedEvent, trace: Trace | undefined): UnderWay | undefined {
    if (this.path === '') {
      this.services.counts.accepted++;
    }
    let underWay: UnderWay | undefined;
    let others: UnderWay[] | undefined;
    for (const child of this.children.values()) {
      const part = child.dispatch(event, trace);
      if (part !== undefined) {
        if (underWay === undefined) {
          underWay = part;
        } else {
          (others ??= [underWay]).push(part);
        }
      }
    }
    return others === undefined ? underWay : together(others);
  }
}
