/** The latest ids, so many of them. */
export class RecentIds {
  private readonly ids = new Set<string>();
  /** In the order in which they came: asking a set for its oldest takes longer the more it has lost. */
  private readonly ring: string[] = [];
  private next = 0;

  constructor(private readonly max: number) {}

  has(id: string): boolean {
    return this.ids.has(id);
  }

  /** Called with ids that it has not. */
  add(id: string): void {
    const oldest = this.ring[this.next];
    if (oldest !== undefined) {
      this.ids.delete(oldest);
    }
    this.ring[this.next] = id;
    this.ids.add(id);
    this.next = (this.next + 1) % this.max;
  }
}
