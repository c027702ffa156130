/** The latest ids, so many of them. */
export class RecentIds {
  private readonly ids = new Set<string>();

  constructor(private readonly max: number) {}

  has(id: string): boolean {
    return this.ids.has(id);
  }

  add(id: string): void {
    this.ids.add(id);
    if (this.ids.size > this.max) {
      const [oldest] = this.ids;
      this.ids.delete(oldest as string);
    }
  }
}
