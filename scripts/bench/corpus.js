// The real images that are measured on: those of scripts/corpus, and noise that no compressor shortens.
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT, quoted } from '../scratch.js';
import { must } from './run.js';

/** Fetches the corpus where it is missing; its folder. */
export function requireCorpus() {
  const run = spawnSync(join(PROJECT, 'scripts', 'corpus'), { stdio: ['ignore', 'inherit', 'inherit'] });
  if (run.status !== 0) process.exit(run.status ?? 1);
  return process.env.SECUREEV_CORPUS ?? join(PROJECT, '.corpus');
}

/** What each image is made of; 400 and 1600 are megabytes. */
const IMAGES = {
  'linux-400': 'linux-2.tar',
  'linux-1600': 'large.img',
  'noise-400': 400_000_000,
  'noise-1600': 1_600_000_000,
};

/** Puts the image `name` at `path`. */
export function layOutImage({ name, corpus, path }) {
  const made = IMAGES[name];
  if (existsSync(path)) return;
  if (typeof made === 'number') return makeNoise(path, made);
  try {
    linkSync(join(corpus, made), path);
  } catch {
    copyFileSync(join(corpus, made), path);
  }
}

// The key stream of AES-256-CTR under a zero key: the same bytes on every machine.
function makeNoise(path, sizeBytes) {
  const zeros = '0'.repeat(64);
  const command = `openssl enc -aes-256-ctr -nosalt -K ${zeros} -iv ${zeros.slice(32)} -in /dev/zero 2>/dev/null | head -c ${sizeBytes} >${quoted(path)}`;
  must(['sh', '-c', command]);
}
