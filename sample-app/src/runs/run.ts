/** A game played as fast as possible, for money that somebody else gets. */
export interface Run {
  readonly id: string;
  readonly game: string;
  readonly category: string;
  readonly goalCents: number;
}

/** In the order of the schedule. */
export const RUNS: readonly Run[] = [
  {
    id: 'celeste',
    game: 'Celeste',
    category: 'Any%',
    goalCents: 500_000,
  },
  {
    id: 'super-metroid',
    game: 'Super Metroid',
    category: '100%',
    goalCents: 1_000_000,
  },
  {
    id: 'portal-2',
    game: 'Portal 2',
    category: 'Co-op',
    goalCents: 750_000,
  },
];
