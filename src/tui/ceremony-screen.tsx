/** The screen of a ceremony: one step at a time, on the terminal's other buffer, which keeps no scrollback. */
import { useSyncExternalStore } from 'react';
import type { ReactElement } from 'react';
import type { CeremonyAsker, Note, StepView } from '../ops/keys/ceremony/asker.ts';
import { fingerprintCard } from '../render/fingerprint-card.ts';
import { printableLine } from '../render/text.ts';
import { ceremonyRoom } from './ceremony-room.ts';
import type { CeremonyRoom } from './ceremony-room.ts';
import { Box, Text, loadInk, render, useInput } from './ink.ts';

/** A screen that is being shown. */
export interface CeremonyScreen extends Disposable {
  readonly asker: CeremonyAsker;
}

/** Shows the screen on standard error, and reads keys from standard input, until disposed. */
export async function ceremonyScreen({ signal }: { readonly signal: AbortSignal }): Promise<CeremonyScreen> {
  await loadInk();
  const room = ceremonyRoom();
  const leave = (): void => room.leave();
  signal.addEventListener('abort', leave);
  const screen = render(<CeremonyView room={room} />, {
    stdin: process.stdin,
    stdout: process.stderr,
    stderr: process.stderr,
    interactive: true,
    alternateScreen: true,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  return {
    asker: room.asker,
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', leave);
      screen.unmount();
    },
  };
}

/** The whole screen. */
export function CeremonyView({ room }: { readonly room: CeremonyRoom }): ReactElement {
  const { view, notes, page, prompt, typed } = useSyncExternalStore(room.subscribe, room.shown);
  useInput((input, key) => {
    if (key.ctrl && input === 'c') room.leave();
    else if (key.ctrl && input === 'u') room.type('\u0015');
    else if (key.return) room.type('\r');
    else if (key.backspace || key.delete) room.erase();
    else if (!key.ctrl && !key.meta && !key.escape) room.type(input);
  });
  return (
    <Box flexDirection="column">
      {view === undefined ? undefined : <Heading view={view} />}
      {page === undefined ? undefined : <Page text={page} />}
      {notes.map((note, index) => (
        // Notes have no name, and are replaced all at once.
        <NoteLine key={`${index}`} note={note} />
      ))}
      {prompt === undefined ? undefined : (
        <Text>
          <Text bold>{prompt}: </Text>
          {printableLine(typed)}
          <Text inverse> </Text>
        </Text>
      )}
    </Box>
  );
}

function Heading({ view }: { readonly view: StepView }): ReactElement {
  const { title, step, number, total, rehearsal } = view;
  return (
    <Box flexDirection="column" marginBottom={1}>
      <Text inverse={rehearsal}>
        {rehearsal ? ' REHEARSAL ' : ''}
        {printableLine(title)}, step {number} of {total}
      </Text>
      <Text bold>{printableLine(step.title)}</Text>
      <Text>{printableLine(step.instruction)}</Text>
    </Box>
  );
}

/** Black on white whatever the terminal's colours are, so that cameras read the codes. */
function Page({ text }: { readonly text: string }): ReactElement {
  return (
    <Box flexDirection="column" marginBottom={1}>
      {text.split('\n').map((line, index) => (
        <Text key={`${index}`} color="black" backgroundColor="white">
          {line === '' ? ' ' : line}
        </Text>
      ))}
    </Box>
  );
}

function NoteLine({ note }: { readonly note: Note }): ReactElement {
  if (note.kind === 'warning') return <Text color="yellow">! {printableLine(note.text)}</Text>;
  if (note.kind === 'fingerprint') return <Fingerprint algorithm={note.algorithm} keyId={note.keyId} />;
  return (
    <Text>
      <Text dimColor>{printableLine(note.label)}: </Text>
      {printableLine(note.text)}
    </Text>
  );
}

function Fingerprint({ algorithm, keyId }: { readonly algorithm: string; readonly keyId: string }): ReactElement {
  const { groups, words, qr } = fingerprintCard(keyId);
  return (
    <Box flexDirection="row">
      <Box flexDirection="column" marginRight={2}>
        <Text bold>{algorithm}</Text>
        {[...groups, '', ...words].map((line, index) => (
          <Text key={`${index}`}>{line === '' ? ' ' : line}</Text>
        ))}
      </Box>
      <Page text={qr} />
    </Box>
  );
}
