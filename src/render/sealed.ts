/** Sealed payloads and envelopes as text and as JSON. */
import { formatInstant, instantOf } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import type { Check } from '../core/report.ts';
import { checkList } from './checks.ts';
import { shortId } from './fingerprint.ts';
import { fields, indented, table } from './table.ts';
import { count, printableLine, size } from './text.ts';

const DRY = 'dry run, nothing was changed: ';

/** A payload that was made. */
export interface ShownEncrypted {
  readonly file: string;
  readonly payload: string;
  readonly envelopeFile: string;
  readonly target: string;
  readonly roles: readonly string[];
  readonly suite: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly envelopes: number;
}

/** What came out of a payload. */
export interface ShownDecrypted {
  readonly out: string;
  readonly suite: { readonly name: string; readonly signatures: readonly string[] };
  readonly vin: string | null;
  readonly keyId: string;
  readonly expires: Instant | null;
  readonly content: { readonly unverified: { readonly sizeBytes: number; readonly sha256: Uint8Array } };
}

/** A payload and how many recipients it has. */
export interface ShownPayload {
  readonly target: string;
  readonly clearTarget: string;
  readonly sha256: string;
  readonly suite: string;
  readonly createdAt: number;
  readonly now: number;
  readonly ever: number;
}

/** The recipients of a payload. */
export interface ShownEnvelopes {
  readonly payload: ShownPayload;
  readonly envelopes: readonly {
    readonly vin: string | null;
    readonly keyId: string;
    readonly expires: number | null;
    readonly addedAt: number;
    readonly removedAt: number | null;
  }[];
  readonly more: boolean;
}

/** What `encrypt` made. */
export function encryptedText(payloads: readonly ShownEncrypted[], dryRun: boolean): string {
  const parts = payloads.map((made) => {
    const rows = fields([
      ['payload', `${made.payload} (${size(made.sizeBytes)}, suite ${made.suite})`],
      ['envelopes', `${made.envelopeFile} (${count(made.envelopes - 1, 'vehicle')} and the escrow key)`],
      ['target', made.target],
      ['sha256', made.sha256],
    ]);
    return `${dryRun ? DRY : ''}encrypted ${printableLine(made.file)}\n${indented(rows)}`;
  });
  const roles = [...new Set(payloads.flatMap((made) => made.roles))].join(', ');
  const next = dryRun ? [] : [`the payloads are staged: sign ${roles}, snapshot and timestamp, then publish`];
  return [...parts, ...next].join('\n');
}

/** What `decrypt` made, and that it proves nothing yet. */
export function decryptedText(opened: ShownDecrypted, now: Instant): string {
  const { out, suite, vin, keyId, expires, content } = opened;
  const file = printableLine(out);
  const rows = fields([
    ['content', `${file} (${size(content.unverified.sizeBytes)})`],
    ['sha256', toHex(content.unverified.sha256)],
    ['envelope', `${vin === null ? 'the escrow key' : `vehicle ${vin}`}, key ${shortId(keyId)}`],
    ['suite', `${suite.name}: expect signatures of ${suite.signatures.join(' and ')}`],
    ['expires', expires === null ? '' : `${formatInstant(expires)}${expires < now ? ' (IN THE PAST)' : ''}`],
  ]);
  const how = `secureev verify bundle ${file} --root ROOT.json --metadata DIR`;
  return `UNVERIFIED: anyone could have encrypted this. Verify it before use:\n  ${how}\n${indented(rows)}`;
}

/** The checks of a payload, and the sentence that matters. */
export function blobVerdictText(blob: string, checks: readonly Check[], good: boolean): string {
  const verdict = good ? 'VERIFIED; who signed what is in it, `verify bundle` says' : 'REFUSED, use nothing of it';
  return `${checkList(checks)}\n${printableLine(blob)}: ${verdict}`;
}

/** What `envelope add` or `envelope remove` changed. */
export function envelopeChangeText(
  did: 'added' | 'removed',
  state: { payload: { target: string }; changed: number; now: number; ever: number; envelopeFile: string | null },
  dryRun: boolean,
): string {
  const lines = [
    `${dryRun ? DRY : ''}${did} ${count(state.changed, 'envelope')} of ${state.payload.target}`,
    `${count(state.now, 'recipient')} now, ${state.ever} ever, the escrow key included`,
    ...(did === 'removed' ? ['what was delivered stays readable: this revokes nothing'] : []),
    ...(state.envelopeFile === null || dryRun ? [] : [`wrote ${printableLine(state.envelopeFile)}`]),
  ];
  return lines.join('\n');
}

/** All payloads. */
export function payloadsText(payloads: readonly ShownPayload[]): string {
  if (payloads.length === 0) return 'no sealed payloads';
  const rows = payloads.map((one) => [
    one.target,
    one.suite,
    String(one.now),
    String(one.ever),
    shortId(one.sha256),
    time(one.createdAt) ?? '',
  ]);
  return table({ head: ['sealed target', 'suite', 'recipients', 'ever', 'sha256', 'made'], rows, right: [2, 3] });
}

/** The recipients of one payload. */
export function envelopesText({ payload, envelopes, more }: ShownEnvelopes): string {
  const head = `${payload.target}: ${count(payload.now, 'recipient')} now, ${payload.ever} ever`;
  const rows = envelopes.map((one) => [
    one.vin ?? 'escrow',
    shortId(one.keyId),
    time(one.addedAt) ?? '',
    time(one.expires) ?? 'never',
    time(one.removedAt) ?? '',
  ]);
  const text = table({ head: ['recipient', 'key', 'given', 'expires', 'taken away'], rows });
  return `${head}\n${text}${more ? '\n... and more (see --limit)' : ''}`;
}

/** The same as JSON, times written out. */
export function envelopesJson({ payload, envelopes, more }: ShownEnvelopes): Readonly<Record<string, unknown>> {
  const shown = envelopes.map((one) => ({
    ...one,
    expires: time(one.expires),
    addedAt: time(one.addedAt),
    removedAt: time(one.removedAt),
  }));
  return { payload: { ...payload, createdAt: time(payload.createdAt) }, envelopes: shown, more };
}

function time(seconds: number | null): string | null {
  return seconds === null ? null : formatInstant(instantOf(seconds));
}
