import { quoted } from '../scratch.js';
import { ageRecipient } from './age.js';
import { decryptCommand, peerCommand } from './commands.js';
import { comparison, must } from './run.js';

export const decrypt = {
  id: 'decrypt',
  about: 'a sealed bundle of 400 MB opened, against age',
  peers: ['age', 'openssl'],
  needsCorpus: false,
  run: (bench) => {
    must(
      peerCommand(bench, `age -r ${ageRecipient(bench)} -o peer.age ${quoted(bench.repository.bundle('noise-400'))}`),
    );
    return [
      comparison({
        measure: '`decrypt` of 400 MB',
        peer: '`age -d`',
        goal: 1.2,
        runs: bench.runs,
        ours: () => decryptCommand(bench, 'noise-400'),
        theirs: () => peerCommand(bench, 'age -d -i age.key -o peer.img peer.age && sync peer.img'),
      }),
    ];
  },
};
