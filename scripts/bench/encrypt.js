import { quoted } from '../scratch.js';
import { ageRecipient } from './age.js';
import { encryptCommand, peerCommand } from './commands.js';
import { comparison } from './run.js';

export const encrypt = {
  id: 'encrypt',
  about: 'a bundle of 400 MB sealed for a vehicle, against age',
  peers: ['age', 'openssl'],
  needsCorpus: false,
  run: (bench) => {
    const line = `age -r ${ageRecipient(bench)} -o peer.age ${quoted(bench.repository.bundle('noise-400'))} && sync peer.age`;
    return [
      comparison({
        measure: '`encrypt` of 400 MB',
        peer: '`age -r`',
        goal: 1.0,
        runs: bench.runs,
        ours: () => encryptCommand(bench, 'noise-400'),
        theirs: () => peerCommand(bench, line),
      }),
    ];
  },
};
