import type { JsonObject } from './json.js';
import { EMPTY_OBJECT } from './json.js';
import type { ResolvedContext } from './resolved-context.js';
import { EMPTY_CONTEXT } from './resolved-context.js';
import type { ScopeOwner } from './scope-owner.js';

/** A frame under its name; without one it hides an outer frame of that name. */
interface Entry {
  readonly name: string;
  readonly frame: JsonObject | undefined;
}

/** What lies below every entry of a root scope, and what it was made from. */
interface Bottom {
  readonly layers: JsonObject;
  readonly own: JsonObject;
  readonly context: ResolvedContext;
}

const NOTHING: readonly Entry[] = [];
const EMPTY_BOTTOM: Bottom = {
  layers: EMPTY_OBJECT,
  own: EMPTY_OBJECT,
  context: EMPTY_CONTEXT,
};
/** Work that starts its own next round inside its context would nest for ever. */
const MAX_NESTED = 64;

/**
 * A stretch of asynchronous work with its frames. Scopes nest; what is entered in one is seen in it and below.
 *
 * Invariants
 * - Frames are frozen; a scope's list of entries is replaced, never changed.
 * - A merged result is used only for the entries, and for what lies below them, that it was made from.
 * - Leaving a scope needs no clean-up: it is forgotten with the work that ran in it.
 * - At most MAX_NESTED scopes lie one in the other. Beyond, the entries of those between are taken over as they are:
 *   only there, what is entered outside later is no longer seen.
 */
export class Scope {
  readonly root: Scope;
  private readonly level: number;
  private entries = NOTHING;
  private resolved = EMPTY_CONTEXT;
  private resolvedEntries = NOTHING;
  private resolvedBelow = EMPTY_CONTEXT;
  private bottom = EMPTY_BOTTOM;

  constructor(
    private readonly parent: Scope | undefined,
    /** The request, message or job that the root scope stands for. */
    readonly owner: ScopeOwner | undefined = parent?.owner,
  ) {
    this.root = parent?.root ?? this;
    this.level = parent === undefined ? 0 : parent.level + 1;
  }

  /** A scope inside another, or one that stands alone. */
  static inside(outer: Scope | undefined): Scope {
    return new Scope(outer === undefined || outer.level < MAX_NESTED ? outer : outer.raised());
  }

  /** A later entry of the same name replaces the earlier one and moves it last. */
  enter(name: string, data: JsonObject): void {
    const entry = { name, frame: data };
    this.entries = this.entries === NOTHING ? [entry] : [...this.without(name), entry];
  }

  /** Answers whether the name was entered here or outside; an outer one is hidden until this scope is left. */
  exit(name: string): boolean {
    if (!this.has(name)) {
      return false;
    }
    this.entries =
      this.parent?.has(name) === true
        ? [...this.without(name), { name, frame: undefined }]
        : this.without(name);
    return true;
  }

  /**
   * The merged frames: the layers of a tracker weakest, then the owner's, then what was entered.
   *
   * @param layers what the tracker puts below; the same object as long as nothing changed
   */
  resolve(layers: JsonObject): ResolvedContext {
    const below = this.parent?.resolve(layers) ?? this.resolveBottom(layers);
    if (below !== this.resolvedBelow || this.entries !== this.resolvedEntries) {
      this.resolved = this.merge(below, layers);
      this.resolvedEntries = this.entries;
      this.resolvedBelow = below;
    }
    return this.resolved;
  }

  /** What lies below every entry of the root scope. */
  private resolveBottom(layers: JsonObject): ResolvedContext {
    const own = this.owner?.frames() ?? EMPTY_OBJECT;
    if (layers !== this.bottom.layers || own !== this.bottom.own) {
      const context = EMPTY_CONTEXT.with(layers).with(own);
      this.bottom = { layers, own, context };
    }
    return this.bottom.context;
  }

  private merge(below: ResolvedContext, layers: JsonObject): ResolvedContext {
    if (!this.entries.some(({ name }) => this.parent?.knows(name))) {
      return withFrames(below, this.entries);
    }
    return withFrames(this.root.resolveBottom(layers), this.visible());
  }

  /** The same entries, with nothing between them and the root. */
  private raised(): Scope {
    const scope = new Scope(this.root);
    scope.entries = this.visible(this.root);
    return scope;
  }

  private has(name: string): boolean {
    const entry = this.entries.find((known) => known.name === name);
    return entry === undefined ? (this.parent?.has(name) ?? false) : entry.frame !== undefined;
  }

  /** Whether the name has an entry here or outside, be it one that hides. */
  private knows(name: string): boolean {
    return this.entries.some((known) => known.name === name) || (this.parent?.knows(name) ?? false);
  }

  private without(name: string): readonly Entry[] {
    return this.entries.filter((known) => known.name !== name);
  }

  /** The entries from a scope, or the root, to here; a name entered again stands where it was entered last. */
  private visible(below?: Scope): readonly Entry[] {
    if (this.parent === undefined || this.parent === below) {
      return this.entries;
    }
    const outer = this.parent
      .visible(below)
      .filter(({ name }) => !this.entries.some((own) => own.name === name));
    return [...outer, ...this.entries];
  }
}

function withFrames(below: ResolvedContext, entries: readonly Entry[]): ResolvedContext {
  let context = below;
  for (const { frame } of entries) {
    if (frame !== undefined) {
      context = context.with(frame);
    }
  }
  return context;
}
