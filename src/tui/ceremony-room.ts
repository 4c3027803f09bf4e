/**
 * What the screen of a ceremony shows, and what is typed at it; without a terminal, so that it can be tested.
 *
 * Invariants: what is typed to a secret question never appears; when a step begins nothing of the one before is left on the
 * screen; Ctrl-C ends the question at hand with INTERRUPTED.
 */
import { failure } from '../core/errors.ts';
import type { CeremonyAsker, Note, PrintedPage, Question, StepView } from '../ops/keys/ceremony/asker.ts';
import { printableLine } from '../render/text.ts';

/** What the screen shows. */
export interface CeremonyShown {
  readonly view: StepView | undefined;
  readonly notes: readonly Note[];
  /** A page that is held up. */
  readonly page: string | undefined;
  readonly prompt: string | undefined;
  /** What is typed so far, dots where it is secret. */
  readonly typed: string;
}

/** The room: who asks, what is shown, and where keys go. */
export interface CeremonyRoom {
  readonly asker: CeremonyAsker;
  shown(): CeremonyShown;
  /** Calls back at every change; gives the way to stop. */
  subscribe(listener: () => void): () => void;
  /** Takes what was typed or pasted; a line feed or carriage return answers. */
  type(text: string): void;
  erase(): void;
  /** Someone leaves: the question at hand, or the next one, ends with INTERRUPTED. */
  leave(): void;
}

interface Pending {
  readonly prompt: string;
  readonly secret: boolean;
  readonly resolve: (answer: string) => void;
  readonly reject: (error: Error) => void;
}

interface State {
  view: StepView | undefined;
  notes: readonly Note[];
  page: string | undefined;
  pending: Pending | undefined;
  typed: string;
  /** Typed before it was asked for. */
  ahead: string;
  left: boolean;
}

const TYPED_MAX = 4096;
const ERASE_LINE = '\u0015';

/** Opens a room with nobody in it. */
export function ceremonyRoom(): CeremonyRoom {
  const listeners = new Set<() => void>();
  const state: State = {
    view: undefined,
    notes: [],
    page: undefined,
    pending: undefined,
    typed: '',
    ahead: '',
    left: false,
  };
  let shown = shownOf(state);
  const changed = (): void => {
    shown = shownOf(state);
    for (const listener of listeners) listener();
  };
  const set = (change: Partial<State>): void => {
    Object.assign(state, change);
    changed();
  };
  const ask = asking(state, set);
  return {
    asker: askerOf(state, { set, ask }),
    shown: () => shown,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    type: (text) => take(state, set, text),
    erase: () => set({ typed: Array.from(state.typed).slice(0, -1).join('') }),
    leave: () => {
      set({ left: true });
      state.pending?.reject(left());
    },
  };
}

type SetState = (change: Partial<State>) => void;
type Ask = (question: { prompt: string; secret: boolean }) => Promise<string>;

function asking(state: State, set: SetState): Ask {
  return async ({ prompt, secret }) => {
    if (state.left) throw left();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    set({ pending: { prompt: printableLine(prompt), secret, resolve, reject }, typed: '' });
    const { ahead } = state;
    set({ ahead: '' });
    take(state, set, ahead);
    try {
      return await promise;
    } finally {
      set({ pending: undefined, typed: '' });
    }
  };
}

/** Types into the question at hand; what follows an answer waits for the next one. */
function take(state: State, set: SetState, text: string): void {
  for (const [index, character] of Array.from(text).entries()) {
    const { pending } = state;
    const rest = Array.from(text).slice(index).join('');
    if (pending === undefined) return set({ ahead: (state.ahead + rest).slice(0, TYPED_MAX) });
    if (character === '\r' || character === '\n') {
      const answer = state.typed;
      // A warning was about the answer before.
      set({ pending: undefined, typed: '', notes: state.notes.filter(({ kind }) => kind !== 'warning') });
      pending.resolve(answer);
      continue;
    }
    if (character === ERASE_LINE) set({ typed: '' });
    else if (character >= ' ' && state.typed.length < TYPED_MAX) set({ typed: state.typed + character });
  }
}

function askerOf(state: State, { set, ask }: { set: SetState; ask: Ask }): CeremonyAsker {
  return {
    begin: async (view) => {
      if (state.left) throw left();
      set({ view, notes: [], page: undefined });
      await Promise.resolve();
    },
    tell: async (notes) => {
      set({ notes: kept(state.notes, notes) });
      await Promise.resolve();
    },
    ask: async (question: Question) => await ask(question),
    handOut: async (pages) => await holdUp(pages, { set, ask }),
    failed: async (error) => {
      const hint = error.hint === undefined ? [] : [{ kind: 'warning', text: error.hint } as const];
      set({ notes: [{ kind: 'warning', text: `[${error.code}] ${error.message}` }, ...hint], page: undefined });
      for (;;) {
        const answer = (
          await ask({ secret: false, prompt: 'again, stop (to resume later), or abort (for good)?' })
        ).trim();
        if (answer === 'again' || answer === 'stop' || answer === 'abort') return answer;
      }
    },
  };
}

/** One fingerprint at a time, and the last warning; facts pile up. */
function kept(before: readonly Note[], notes: readonly Note[]): readonly Note[] {
  const kinds = new Set(notes.map(({ kind }) => kind));
  return [...before.filter(({ kind }) => kind === 'fact' || !kinds.has(kind)), ...notes];
}

/** Each page twice: its lines to write down, and its QR code to photograph with something that is destroyed after. */
async function holdUp(pages: readonly PrintedPage[], { set, ask }: { set: SetState; ask: Ask }): Promise<void> {
  for (const [index, { name, text, qr }] of pages.entries()) {
    const words = text.slice(0, Math.max(text.indexOf(qr), 0)).trimEnd();
    const which = `page ${index + 1} of ${pages.length}, ${name}`;
    set({ page: words, notes: [] });
    await ask({ secret: false, prompt: `${which}: write it down, then Enter for its QR code` });
    set({ page: qr });
    await ask({ secret: false, prompt: `${which}: Enter when it is in its envelope` });
  }
  set({ page: undefined });
}

function shownOf({ view, notes, page, pending, typed }: State): CeremonyShown {
  const visible = pending?.secret === true ? '•'.repeat(Array.from(typed).length) : typed;
  return { view, notes, page, prompt: pending?.prompt, typed: visible };
}

function left(): Error {
  return failure('INTERRUPTED', 'the ceremony was interrupted; `secureev ceremony resume` goes on');
}
