/** A program for tests of signals: `main` on the real machine with one command that writes until it is stopped. */
import { nodeMachine } from '../io/machine.ts';
import { main } from '../main.ts';
import type { CommandEntry, CommandModule } from '../commands/command.ts';

const STUBBORN = process.argv.includes('stubborn');

const module: CommandModule = {
  configure: (command) => void command.argument('[how]'),
  async run({ io }) {
    await using file = await io.files.create('out.bin');
    process.stdout.write('started\n');
    for (;;) {
      if (!STUBBORN) await file.write(new Uint8Array(1000));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
};

const SLOW: CommandEntry = { path: 'slow', summary: 'never ends', group: 'Releases', load: async () => module };

process.exitCode = await main(process.argv.slice(2), nodeMachine(), [SLOW]);
