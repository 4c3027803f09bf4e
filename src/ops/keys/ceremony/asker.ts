/** How a ceremony talks with the people in the room: a screen, or a file of answers. */
import type { SecureevError } from '../../../core/errors.ts';
import type { Instant } from '../../../core/brands.ts';
import type { Custodian, Person } from '../../../formats/ceremony-plan.ts';
import type { CeremonyStep, RootKind } from '../../../plan/ceremony/steps.ts';

/** The step that begins. */
export interface StepView {
  readonly title: string;
  readonly step: CeremonyStep;
  /** From 1. */
  readonly number: number;
  readonly total: number;
  readonly rehearsal: boolean;
}

/** Something the people in the room are to see. */
export type Note =
  | { readonly kind: 'fact'; readonly label: string; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string }
  /** Shown as hex groups, as PGP words and as a QR code. */
  | { readonly kind: 'fingerprint'; readonly algorithm: string; readonly keyId: string };

/** A question; what is `secret` is never shown. */
export type Question = { readonly prompt: string; readonly secret: boolean } & (
  | { readonly kind: 'initials'; readonly person: Person }
  | { readonly kind: 'passphrase' | 'pin'; readonly custodian: Custodian }
  | { readonly kind: 'dice'; readonly rolls: number }
  | { readonly kind: 'clock'; readonly now: Instant }
  | { readonly kind: 'typed-back'; readonly keyId: string }
  /** One line of a share, or all of its QR code. */
  | { readonly kind: 'share'; readonly custodian: Custodian; readonly root: RootKind; readonly line: number }
);

/** A page that leaves the machine on paper. */
export interface PrintedPage {
  /** Without a folder, e.g. `AL-image-root-share-1-of-3.txt`. */
  readonly name: string;
  readonly text: string;
  /** The QR code that ends the text, as it is drawn. */
  readonly qr: string;
}

/** What to do after a step failed. */
export type AfterFailure = 'again' | 'stop' | 'abort';

/** The people in the room. Every method throws INTERRUPTED when they leave. */
export interface CeremonyAsker {
  /** A step begins. */
  begin(view: StepView): Promise<void>;
  tell(notes: readonly Note[]): Promise<void>;
  ask(question: Question): Promise<string>;
  /** Gives pages with secrets to whoever writes them down or prints them; nothing of them is kept. */
  handOut(pages: readonly PrintedPage[]): Promise<void>;
  /** A step failed; its entry is written. */
  failed(error: SecureevError): Promise<AfterFailure>;
}
