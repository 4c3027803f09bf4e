/**
 * The `@noble` libraries, loaded when first asked for: with the runtime's engine, verification never asks, and loading them
 * takes as long as verifying a repository.
 */
import { createRequire } from 'node:module';

/** Everything that is used of the libraries. */
export type Noble = typeof import('./noble-library.ts');

const require = createRequire(import.meta.url);
const loaded: Noble[] = [];

/** The libraries. They are a file of their own in `dist/` too (see `scripts/build.js`). */
export function noble(): Noble {
  const [library = load()] = loaded;
  return library;
}

function load(): Noble {
  const library: Noble = require('./noble-library.ts');
  loaded[0] = library;
  return library;
}
