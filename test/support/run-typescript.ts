/** Arguments for Node with which a process of a test runs TypeScript as it stands in the repository. */
export const RUN_TYPESCRIPT: readonly string[] = [
  '--import',
  new URL('./typescript-hooks.mjs', import.meta.url).href,
];
