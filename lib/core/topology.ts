import type { Backend } from './backend.js';
import { TrackingError } from './errors.js';
import { LeafNode } from './leaf-node.js';
import type { NodeServices, TopologyNode } from './node.js';
import { RouterNode } from './router-node.js';
import { errorMessage, describeValue } from './describe.js';
import type { RouterPlan } from './topology-plan.js';
import { isBackend } from './topology-plan.js';
import type { Problems } from './options.js';

/** The living tree: nodes by path, and their order. */
export class Topology {
  readonly root: RouterNode;
  private readonly nodes = new Map<string, TopologyNode>();

  constructor(
    plan: RouterPlan,
    private readonly services: NodeServices,
    problems: Problems,
  ) {
    this.root = this.build(plan, '', problems);
  }

  /** Every backend, in the order in which events reach them. */
  leaves(): LeafNode[] {
    return leavesOf(this.root);
  }

  /** @throws TrackingError `unknown_path`, naming the known ones */
  backend(path: string): Backend {
    const node = this.nodes.get(path);
    if (!(node instanceof LeafNode)) {
      throw this.unknown(path, 'is no backend');
    }
    return node.backend;
  }

  /**
   * Adds a backend, or replaces the one at that path in its place. Answers what it replaced.
   *
   * @throws TrackingError `unknown_path` when there is no router above, `invalid_options` for what is no backend or
   *   cannot be attached
   */
  register(path: string, backend: Backend): LeafNode | undefined {
    if (!isBackend(backend)) {
      throw new TrackingError(
        'invalid_options',
        `expected the backend for ${describeValue(path)} to have a callable "send"`,
      );
    }
    if (typeof (path as unknown) !== 'string') {
      throw this.unknown(path, 'is no path');
    }
    const cut = path.lastIndexOf('/');
    const key = path.slice(cut + 1);
    const parent = cut < 0 ? this.root : this.nodes.get(path.slice(0, cut));
    const before = this.nodes.get(path);
    if (!(parent instanceof RouterNode) || before instanceof RouterNode || key === '') {
      throw this.unknown(path, 'cannot hold a backend');
    }
    const leaf = this.attached(path, backend);
    parent.children.set(key, leaf);
    this.nodes.set(path, leaf);
    return before as LeafNode | undefined;
  }

  private attached(path: string, backend: Backend): LeafNode {
    try {
      return new LeafNode(path, backend, this.services);
    } catch (error) {
      throw new TrackingError(
        'invalid_options',
        `attaching the backend ${describeValue(path)} failed: ${errorMessage(error)}`,
        { cause: error },
      );
    }
  }

  private build(plan: RouterPlan, path: string, problems: Problems): RouterNode {
    const router = new RouterNode(path, plan.steps, this.services);
    for (const [key, child] of plan.children) {
      const at = path === '' ? key : `${path}/${key}`;
      const node = isBackend(child) ? this.tryLeaf(at, child, problems) : this.build(child, at, problems);
      if (node !== undefined) {
        router.children.set(key, node);
        this.nodes.set(at, node);
      }
    }
    return router;
  }

  private tryLeaf(path: string, backend: Backend, problems: Problems): LeafNode | undefined {
    try {
      return new LeafNode(path, backend, this.services);
    } catch (error) {
      problems.addLine(
        `backends.${path.replaceAll('/', '.backends.')}`,
        `attaching it failed: ${errorMessage(error)}`,
      );
      return undefined;
    }
  }

  private unknown(path: string, why: string): TrackingError {
    const known = this.leaves()
      .map((leaf) => leaf.path)
      .join(', ');
    return new TrackingError(
      'unknown_path',
      `${describeValue(path)} ${why}; the backends are ${known === '' ? '(none)' : known}`,
    );
  }
}

function leavesOf(node: TopologyNode): LeafNode[] {
  if (node instanceof LeafNode) {
    return [node];
  }
  return node instanceof RouterNode ? [...node.children.values()].flatMap(leavesOf) : [];
}
