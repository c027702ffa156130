import type { Backend } from './backend.js';
import { errorMessage } from './describe.js';
import type { Problems } from './options.js';
import { isRecord, optionPath } from './options.js';
import type { ProcessingStep } from './processor.js';
import { isClass, toStep } from './processor.js';

/** What the options describe, checked, before any backend is attached. */
export interface RouterPlan {
  readonly steps: ProcessingStep[];
  readonly children: Map<string, RouterPlan | Backend>;
}

/** A class in the place of a backend or a processor. `create` puts an instance there, or says why it could not. */
export interface ClassInPlan {
  readonly type: new () => object;
  readonly create: (instance: unknown) => void;
  readonly failed: (error: unknown) => void;
}

const ROUTER_KEYS: readonly string[] = ['processors', 'backends'];

/** Reads the tree of the options, once; everything wrong with it goes to `problems`. */
export class TopologyReader {
  /** In the order in which the app wrote them. Creating one may add others: it may be a router itself. */
  readonly classes: ClassInPlan[] = [];
  /** The routers around the one being read: a tree that contains itself has no end. */
  private readonly around = new Set<object>();

  constructor(private readonly problems: Problems) {}

  /** @param path the router's options, as the app writes it; empty for the tracker's own */
  router(options: Readonly<Record<string, unknown>>, path: string): RouterPlan {
    this.around.add(options);
    const steps = this.steps(options['processors'], optionPath(path, 'processors'));
    const children = this.children(options['backends'], optionPath(path, 'backends'));
    this.around.delete(options);
    return { steps, children };
  }

  steps(specs: unknown, path: string): ProcessingStep[] {
    const steps: ProcessingStep[] = [];
    if (specs !== undefined && !Array.isArray(specs)) {
      this.problems.add(path, 'an array of processors', specs);
      return steps;
    }
    // `Array.from` shows the holes of a sparse array.
    Array.from((specs ?? []) as unknown[]).forEach((spec, index) => {
      this.place(spec, `${path}[${index}]`, (value, at) => {
        const step = toStep(value);
        if (typeof step === 'string') {
          this.problems.addLine(at, step);
        } else {
          steps[index] = step;
        }
      });
    });
    return steps;
  }

  /** A backend or a router. */
  node(value: unknown, path: string): RouterPlan | Backend | undefined {
    if (isBackend(value)) {
      return value;
    }
    if (!isRecord(value) || !('backends' in value)) {
      this.problems.add(path, 'a backend with a callable "send", or { backends }', value);
    } else if (this.around.has(value)) {
      this.problems.addLine(path, 'this router contains itself');
    } else {
      this.problems.onlyKeys(path, value, ROUTER_KEYS);
      return this.router(value, path);
    }
    return undefined;
  }

  /** Creates every class by `new` without arguments. */
  createClasses(): void {
    for (const { type, create, failed } of this.classes) {
      try {
        create(new type());
      } catch (error) {
        failed(error);
      }
    }
  }

  private children(tree: unknown, path: string): Map<string, RouterPlan | Backend> {
    const children = new Map<string, RouterPlan | Backend>();
    if (!isRecord(tree)) {
      this.problems.add(path, 'an object of backends by name', tree);
      return children;
    }
    for (const [key, spec] of Object.entries(tree)) {
      if (key === '' || key.includes('/')) {
        this.problems.add(`${path}.${key}`, 'named without "/" and not empty', key);
      }
      // The order of the keys is that of the events, whenever a class is created.
      children.set(key, UNREAD);
      this.place(spec, `${path}.${key}`, (value, at) => {
        const node = this.node(value, at);
        if (node !== undefined) {
          children.set(key, node);
        }
      });
    }
    return children;
  }

  /** Reads what stands at a place, or what is created there. */
  private place(spec: unknown, path: string, read: (value: unknown, path: string) => void): void {
    if (!isClass(spec)) {
      read(spec, path);
      return;
    }
    this.classes.push({
      type: spec,
      create: (instance) => {
        read(instance, path);
      },
      failed: (error) => {
        this.problems.addLine(path, `creating ${spec.name || 'it'} failed: ${errorMessage(error)}`, error);
      },
    });
  }
}

/** In the place of what is not read yet, or is wrong: then there are problems, and nothing is built. */
const UNREAD: RouterPlan = { steps: [], children: new Map() };

export function isBackend(value: unknown): value is Backend {
  return (
    typeof value === 'object' && value !== null && typeof (value as { send?: unknown }).send === 'function'
  );
}
