/** What was typed is wrong. */
export class UsageError extends Error {}

/** Ends a command with one line. */
export class CommandFailure extends Error {}

export const EXIT = { fine: 0, failed: 1, usage: 2 } as const;
