/**
 * The group that all events of a batch are of; empty for no events. Formats that say once per batch what is true of
 * each event would else say it of the wrong ones.
 *
 * @throws RangeError when there are several
 */
export function onlyGroup(what: string, groups: readonly string[]): string {
  const [first = '', ...others] = new Set(groups);
  if (others.length > 0) {
    throw new RangeError(`expected the events of one ${what} in a batch, got those of ${others.length + 1}`);
  }
  return first;
}
