import { quoted } from '../scratch.js';
import { peerCommand, verifyCommand } from './commands.js';
import { comparison, must } from './run.js';

export const verifyBundle = {
  id: 'verify-bundle',
  about: 'a bundle of one 400 MB image, against decompressing and hashing it',
  peers: ['zstd', 'openssl'],
  needsCorpus: true,
  run: (bench) => {
    must(peerCommand(bench, `zstd -q -3 -T2 -f ${quoted(bench.repository.image('linux-400'))} -o peer.zst`));
    const line = 'zstd -q -d -f peer.zst -o peer.img && sync peer.img && openssl dgst -sha256 peer.img';
    return [
      comparison({
        measure: '`verify bundle` of it',
        peer: '`zstd -d` to a file + `openssl dgst -sha256`',
        goal: 1.3,
        runs: bench.runs,
        ours: () => verifyCommand(bench, 'linux-400'),
        theirs: () => peerCommand(bench, line),
      }),
    ];
  },
};
