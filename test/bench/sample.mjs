/*
 * What everyone who is measured records: events of about 680 bytes as JSON, no two alike. Payloads and frames are made
 * afresh for every call, as an app makes them, from a pool of varied values; nothing can be gained by remembering an
 * object or a string. The values of number `n` are the same in every process.
 */
import { createHash } from 'node:crypto';

export const NAME = 'donation.received';

/** More than a cache of values keeps, less than the memory of a small machine notices. */
const POOL = 4_096;
const RUNS = ['any-percent-glitchless', 'hundred-percent', 'low-percent-co-op', 'blindfolded-relay'];
const DONORS = ['Anna K.', 'Björn', 'marathon-watcher-2019', 'Cleo & friends', 'Zoë V.'];
const COMMENTS = [
  'Greetings from Lisbon, keep running!',
  'For my aunt. "You are the best", she said.',
  'Save the animals!',
  'Hello from the whole office in Zürich.',
];
const INCENTIVES = ['save-the-frames', 'name-the-hero', 'bonus-game', 'harder-mode'];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64) Chrome/139.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5) Safari/604.1',
  'MarathonApp/4.2 (Android 16)',
];

const pool = Array.from({ length: POOL }, (_, n) => {
  const hex = createHash('sha512').update(String(n)).digest('hex');
  const number = (at) => parseInt(hex.slice(at, at + 5), 16);
  const pick = (list, at) => list[number(at) % list.length];
  const uuid = (at) => {
    const part = (from, length) => hex.slice(at + from, at + from + length);
    return `${part(0, 8)}-${part(8, 4)}-7${part(12, 3)}-a${part(15, 3)}-${part(18, 12)}`;
  };
  const parsed = {
    session: hex.slice(60, 84),
    user: `u_${number(84)}`,
    donor: `d_${number(89)}`,
    display: pick(DONORS, 90),
    anonymous: number(91) % 5 === 0,
    run: pick(RUNS, 92),
    path: `/runs/${number(93) % 1_000}/donations`,
    agent: pick(AGENTS, 94),
    comment: pick(COMMENTS, 95),
    incentives: [pick(INCENTIVES, 96), pick(INCENTIVES, 97)],
    ratio: (number(98) % 1_000) / 1_000,
    experiment: pick(['A', 'B', 'C'], 99),
  };
  // Strings as an app has them: of a body or a header in one piece, ids put together as randomUUID() does it. The
  // engine knows the difference: JSON.stringify has a fast way for strings in one piece.
  return { id: uuid(0), requestId: uuid(30), ...JSON.parse(JSON.stringify(parsed)) };
});
const values = (n) => pool[n % POOL];

/** `amount` numbers the events: a destination tells them apart by it. */
export function payload(n) {
  const { run, donor, display, anonymous, incentives, comment, ratio } = values(n);
  return {
    amount: n,
    currency: 'EUR',
    run,
    donor: { id: donor, display, anonymous },
    incentives: [...incentives],
    comment,
    tags: { source: 'web', campaign: 'winter-2026' },
    ratio,
  };
}

export function requestFrame(n) {
  const { requestId, path, agent } = values(n);
  return {
    request: { id: requestId, method: 'POST', path, host: 'marathon.example', userAgent: agent },
  };
}

export function userFrame(n) {
  const { user, session, experiment } = values(n);
  return { user: { id: user }, session: { id: session }, experiment };
}

/** Both frames merged, as they stand in an event. Spreading two literals takes Node 20 two microseconds. */
export function context(n) {
  const { request } = requestFrame(n);
  const { user, session, experiment } = userFrame(n);
  return { request, user, session, experiment };
}

/** The whole event, as it stands in every JSON line of ours. */
export const event = (n, its = context(n)) => ({
  id: values(n).id,
  name: NAME,
  timestamp: '2026-01-15T18:00:00.000Z',
  data: payload(n),
  context: its,
});
