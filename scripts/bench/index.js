// Every measure, one line each. A measure is `{ id, about, peers, needsCorpus, run(bench) -> rows }`, a row is
// `{ measure, ours, peer, ratio, goal, met }`.
import { bins } from './bins.js';
import { campaign } from './campaign.js';
import { decrypt } from './decrypt.js';
import { encrypt } from './encrypt.js';
import { memory } from './memory.js';
import { packaging } from './packaging.js';
import { startUp } from './start-up.js';
import { vehicleImport } from './vehicle-import.js';
import { verifyBundle } from './verify-bundle.js';
import { verifyRepository } from './verify-repository.js';

export const MEASURES = [
  packaging,
  verifyBundle,
  encrypt,
  decrypt,
  memory,
  startUp,
  campaign,
  vehicleImport,
  bins,
  verifyRepository,
];
