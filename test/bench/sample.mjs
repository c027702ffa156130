/** What every contender records: about 600 bytes as JSON. `amount` changes from event to event. */
export const NAME = 'donation.received';

export const payload = {
  amount: 0,
  currency: 'EUR',
  run: 'any-percent-glitchless',
  donor: { id: 'd_18273', display: 'Anna K.', anonymous: false },
  incentives: ['save-the-frames', 'name-the-hero'],
  comment: 'Greetings from Lisbon, keep running!',
  tags: { source: 'web', campaign: 'winter-2026' },
  ratio: 0.25,
};

export const outer = {
  request: {
    id: '0193f0a2-7b1c-7c3e-9a50-1b2c3d4e5f60',
    method: 'POST',
    path: '/runs/42/donations',
    host: 'marathon.example',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
  },
};

export const inner = {
  user: { id: 'u_1' },
  feature: 'checkout',
  experiment: 'B',
};

export const context = { ...outer, ...inner };

/** The whole event, as it stands in every JSON line of ours. */
export const event = {
  id: '0193f0a2-7b1c-7c3e-9a50-1b2c3d4e5f61',
  name: NAME,
  timestamp: new Date().toISOString(),
  data: payload,
  context,
};
