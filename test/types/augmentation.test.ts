/* An augmentation reaches every file of a program: this one has a program of its own. */
import { describe, expect, it } from '@jest/globals';
import { compileApp } from '../support/compiled-app.js';

describe('an app that declares its events once', () => {
  it('has them known by every tracker without a type parameter', () => {
    const problems = compileApp(`
import { createTracker } from '../../lib/core/create-tracker.js';
import type { Tracker } from '../../lib/core/tracker.js';
declare module '../../lib/core/tracked-events.js' {
  interface TrackedEvents {
    'donation.received': { amount: number };
    'page.viewed': { path?: string };
  }
}
const tracker: Tracker = createTracker({ backends: {} });
tracker.emit('donation.received', { amount: 5 });
tracker.emit('page.viewed');
tracker.child({}).emit('donation.received', { amount: 5 });
tracker.emit('donation.refused');
tracker.emit('donation.received');
tracker.emit('donation.received', { amount: '5' });
`);
    expect(problems).toStrictEqual([
      expect.stringMatching(/^14: .*'"donation.refused"'/),
      expect.stringMatching(/^15: .*2-3 arguments, but got 1/),
      expect.stringMatching(/^16: Type 'string' is not assignable to type 'number'/),
    ]);
  });

  it('and one that declares none has names and payloads free', () => {
    expect(
      compileApp(`
import { createTracker } from '../../lib/core/create-tracker.js';
const tracker = createTracker({ backends: {} });
tracker.emit('anything');
tracker.emit('anything', { at: new Date() }, { id: 'x' });
`),
    ).toStrictEqual([]);
  });
});
