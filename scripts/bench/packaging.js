import { quoted } from '../scratch.js';
import { packageCommand, peerCommand } from './commands.js';
import { comparison } from './run.js';

export const packaging = {
  id: 'package',
  about: 'one 400 MB image into a signed bundle, against zstd alone',
  peers: ['zstd'],
  needsCorpus: true,
  run: (bench) => {
    const image = quoted(bench.repository.image('linux-400'));
    return [
      comparison({
        measure: '`package` of one 400 MB image (zstd 3, tree, hybrid signatures)',
        peer: '`zstd -3 -T2`',
        goal: 1.3,
        runs: bench.runs,
        ours: () => packageCommand(bench, 'linux-400'),
        theirs: () => peerCommand(bench, `zstd -q -3 -T2 -f ${image} -o peer.zst && sync peer.zst`),
      }),
    ];
  },
};
