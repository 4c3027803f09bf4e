/** Hashes and key ids as people compare them: by eye, and read aloud. */

const GROUP = 4;
const SHORT = 12;

/** Hex in groups of four digits: `3f9a 01c4 ...`; what is not hex is left as it is. */
export function fingerprint(hex: string): string {
  if (!/^[0-9a-f]+$/.test(hex)) return hex;
  return hex.match(new RegExp(`.{1,${GROUP}}`, 'g'))?.join(' ') ?? '';
}

/** The first 12 digits of a key id or hash, enough to tell a few apart; never to decide about trust. */
export function shortId(hex: string): string {
  return hex.length <= SHORT ? hex : hex.slice(0, SHORT);
}
