import type { Backend } from './backend.js';
import { BackendNode } from './backend-node.js';
import { describeValue, errorMessage } from './describe.js';
import { TrackingError } from './errors.js';
import { Problems } from './options.js';
import { RouterNode } from './router-node.js';
import type { RouterPlan } from './topology-plan.js';
import { isBackend, TopologyReader } from './topology-plan.js';
import type { TrackerServices } from './tracker-services.js';

type Node = RouterNode | BackendNode;

export const DEFAULT_CLOSE_MS = 8_000;

/** The living tree of routers and backends. */
export class Topology {
  readonly root: RouterNode;

  constructor(
    plan: RouterPlan,
    private readonly services: TrackerServices,
    problems: Problems,
  ) {
    this.root = this.router(plan, '', problems);
  }

  /** Every backend, in the order in which events reach them. */
  backends(): BackendNode[] {
    return backendsOf(this.root);
  }

  /** @throws TrackingError `unknown_path`, naming the known ones */
  backend(path: string): Backend {
    const node = this.find(path);
    if (!(node instanceof BackendNode)) {
      throw this.unknown(path, 'is not a backend');
    }
    return node.backend;
  }

  /**
   * Adds a backend or a router, or replaces what is at that path in its place. Returns the backends that it replaced and
   * does not contain itself.
   *
   * @throws TrackingError `unknown_path` when there is no router above, `invalid_options` for anything else that is wrong
   */
  register(path: string, spec: unknown): BackendNode[] {
    const keys = typeof path === 'string' ? path.split('/') : [''];
    const key = keys.pop() as string;
    const parent = keys.length === 0 ? this.root : this.find(keys.join('/'));
    if (!(parent instanceof RouterNode) || key === '') {
      throw this.unknown(path, 'cannot hold a backend');
    }
    const problems = new Problems();
    const reader = new TopologyReader(problems);
    const plan = reader.node(spec, path);
    reader.createClasses();
    const title = `registering ${describeValue(path)} failed`;
    problems.throwIfAny(title);
    const node = this.build(plan as RouterPlan | Backend, path, problems);
    if (problems.found) {
      closeAll(node);
    }
    problems.throwIfAny(title);
    const before = this.find(path);
    parent.children.set(key, node as Node);
    const kept = new Set(backendsOf(node).map(({ backend }) => backend));
    return backendsOf(before).filter(({ backend }) => !kept.has(backend));
  }

  private router(plan: RouterPlan, path: string, problems: Problems): RouterNode {
    const router = new RouterNode(path, plan.steps, this.services);
    for (const [key, child] of plan.children) {
      const at = path === '' ? key : `${path}/${key}`;
      const node = this.build(child, at, problems);
      if (node !== undefined) {
        router.children.set(key, node);
      }
    }
    return router;
  }

  private build(plan: RouterPlan | Backend, path: string, problems: Problems): Node | undefined {
    if (!isBackend(plan)) {
      return this.router(plan, path, problems);
    }
    try {
      return new BackendNode(path, plan, this.services);
    } catch (error) {
      const option = `backends.${path.replaceAll('/', '.backends.')}`;
      problems.addLine(option, `attaching it failed: ${errorMessage(error)}`, error);
      return undefined;
    }
  }

  private find(path: unknown): Node | undefined {
    let node: Node | undefined = this.root;
    // An app without types may ask for anything.
    for (const key of String(path).split('/')) {
      node = node instanceof RouterNode ? node.children.get(key) : undefined;
    }
    return node;
  }

  private unknown(path: string, why: string): TrackingError {
    const known = this.backends().map((backend) => backend.path);
    return new TrackingError(
      'unknown_path',
      `${describeValue(path)} ${why}; the backends are ${known.length === 0 ? '(none)' : known.join(', ')}`,
    );
  }
}

/** Closes backends that were attached in vain: something beside them is wrong. */
export function closeAll(node: Node | undefined): void {
  for (const backend of backendsOf(node)) {
    void backend.close({ timeoutMs: DEFAULT_CLOSE_MS });
  }
}

function backendsOf(node: Node | undefined): BackendNode[] {
  if (node instanceof RouterNode) {
    return [...node.children.values()].flatMap(backendsOf);
  }
  return node === undefined ? [] : [node];
}
