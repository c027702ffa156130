import type { Backend } from './backend.js';
import type { Instantiate, ProcessingStep } from './processing-step.js';
import { isClass, toStep } from './processing-step.js';
import type { ProcessorSpec } from './processor.js';
import { errorMessage } from './describe.js';
import type { Problems } from './options.js';
import { isRecord } from './options.js';

/** What the options describe, checked and with every class created, before any backend is attached. */
export interface RouterPlan {
  readonly steps: readonly ProcessingStep[];
  readonly children: ReadonlyMap<string, RouterPlan | Backend>;
}

/** A router as an app writes it, not looked at yet. */
interface RouterDraft {
  readonly processors?: unknown;
  readonly backends?: unknown;
}

const ROUTER_KEYS: readonly string[] = ['processors', 'backends'];

/** Reads the tree of the options; everything wrong with it goes to `problems`. */
export class TopologyPlanner {
  /** The routers around the one being read: a tree that contains itself has no end. */
  private readonly around = new Set<object>();

  constructor(
    private readonly instantiate: Instantiate,
    private readonly problems: Problems,
  ) {}

  /** @param path the router's options, as the app writes it; empty for the tracker's own */
  router(draft: RouterDraft, path: string): RouterPlan {
    const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
    this.around.add(draft);
    const plan = {
      steps: this.steps(draft.processors, at('processors')),
      children: this.children(draft.backends, at('backends')),
    };
    this.around.delete(draft);
    return plan;
  }

  steps(specs: unknown, path: string): readonly ProcessingStep[] {
    if (specs === undefined) {
      return [];
    }
    if (!Array.isArray(specs)) {
      this.problems.add(path, 'an array of processors', specs);
      return [];
    }
    // `Array.from` shows the holes of a sparse array.
    return Array.from(specs as ProcessorSpec[]).flatMap((spec, index) => {
      const at = `${path}[${index}]`;
      const step = this.created(at, () => toStep(spec, this.instantiate));
      if (typeof step === 'string') {
        this.problems.addLine(at, step);
      }
      return typeof step === 'object' ? [step] : [];
    });
  }

  private children(tree: unknown, path: string): ReadonlyMap<string, RouterPlan | Backend> {
    const children = new Map<string, RouterPlan | Backend>();
    if (!isRecord(tree)) {
      this.problems.add(path, 'an object of backends by name', tree);
      return children;
    }
    for (const [key, spec] of Object.entries(tree)) {
      const at = `${path}.${key}`;
      if (key === '' || key.includes('/')) {
        this.problems.add(at, 'named without "/" and not empty', key);
      }
      const child = this.child(spec, at);
      if (child !== undefined) {
        children.set(key, child);
      }
    }
    return children;
  }

  private child(spec: unknown, path: string): RouterPlan | Backend | undefined {
    if (!isClass(spec)) {
      return this.node(spec, path);
    }
    const made = this.created(path, () => ({ value: this.instantiate(spec) }));
    return made && this.node(made.value, path);
  }

  private node(value: unknown, path: string): RouterPlan | Backend | undefined {
    if (isBackend(value)) {
      return value;
    }
    if (!isRecord(value) || !('backends' in value)) {
      this.problems.add(path, 'a backend with a callable "send", or { backends }', value);
      return undefined;
    }
    if (this.around.has(value)) {
      this.problems.addLine(path, 'this router contains itself');
      return undefined;
    }
    this.problems.onlyKeys(path, value, ROUTER_KEYS);
    return this.router(value, path);
  }

  /** What an app's constructor throws is a problem of that option. */
  private created<T>(path: string, create: () => T): T | undefined {
    try {
      return create();
    } catch (error) {
      this.problems.addLine(path, `creating it failed: ${errorMessage(error)}`);
      return undefined;
    }
  }
}

export function isBackend(value: unknown): value is Backend {
  return (
    typeof value === 'object' && value !== null && typeof (value as { send?: unknown }).send === 'function'
  );
}
