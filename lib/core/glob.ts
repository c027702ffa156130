/** Whether a text is as somebody wants it. */
export type TextMatcher = (text: string) => boolean;

const ANY_RUN = '*';
const ANY_ONE = '?';
const WILDCARD = /[*?]/;
const SURROGATE = /[\ud800-\udfff]/;

export function isGlob(pattern: string): boolean {
  return WILDCARD.test(pattern);
}

/** `*` stands for any run of characters, also an empty one, `?` for one character. The whole text has to match. */
export function globMatcher(pattern: string): TextMatcher {
  if (!isGlob(pattern)) {
    return (text) => text === pattern;
  }
  const symbols = Array.from(pattern.replace(/\*+/g, ANY_RUN));
  return (text) =>
    // Indexing a text would take a character outside the BMP for two.
    matches(symbols, SURROGATE.test(text) ? Array.from(text) : text);
}

/**
 * Goes back no further than to the latest `*`: an earlier one can only take more of the text and leave less for the rest.
 * So the time never exceeds the length of the text times that of the pattern, however many `*` there are.
 */
function matches(pattern: readonly string[], text: ArrayLike<string>): boolean {
  let at = 0;
  let symbol = 0;
  let afterStar = -1;
  let runEnd = 0;
  while (at < text.length) {
    const wanted = pattern[symbol];
    if (wanted === ANY_RUN) {
      symbol++;
      if (symbol === pattern.length) {
        return true;
      }
      afterStar = symbol;
      runEnd = at;
    } else if (wanted === ANY_ONE || wanted === text[at]) {
      symbol++;
      at++;
    } else if (afterStar >= 0) {
      symbol = afterStar;
      at = ++runEnd;
    } else {
      return false;
    }
  }
  return symbol === pattern.length || (symbol === pattern.length - 1 && pattern[symbol] === ANY_RUN);
}

/** A RegExp's own `test` moves the `lastIndex` of a `g` or `y` one, and so answers differently the next time. */
export function regExpMatcher(pattern: RegExp): TextMatcher {
  const own = new RegExp(pattern);
  return (text) => {
    own.lastIndex = 0;
    return own.test(text);
  };
}
