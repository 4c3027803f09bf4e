/** What the loss of a key means, as text. */
import { shortId } from './fingerprint.ts';
import { keyText } from './role-outcomes.ts';
import { quorumsText } from './roles.ts';
import type { ShownQuorum } from './roles.ts';
import { indented, table } from './table.ts';

/** A revocation and what is left to do. */
export interface ShownRevocation {
  readonly keyIds: readonly string[];
  readonly holder: string;
  readonly uses: readonly { readonly where: string; readonly outcome: 'removed' | 'staged' | 'replace' }[];
  readonly steps: readonly {
    readonly what: string;
    readonly command: string;
    readonly quorums: readonly ShownQuorum[];
  }[];
  readonly notes: readonly string[];
}

const OUTCOMES = {
  removed: 'taken out',
  staged: 'was taken out before',
  replace: 'NEEDS A REPLACEMENT: the threshold cannot be met without it',
} as const;

/** Where the key was, then what to do in order. */
export function revocationText(shown: ShownRevocation, dryRun: boolean): string {
  const { keyIds, holder, uses, steps, notes } = shown;
  const pair = keyIds.slice(1).map((keyId) => ` and its pair ${shortId(keyId)}`);
  const head = `${dryRun ? 'dry run: ' : ''}revoked key ${keyText({ keyId: keyIds[0] ?? '', holder })}${pair.join('')}`;
  const rows = uses.map(({ where, outcome }) => [where, OUTCOMES[outcome]]);
  const numbered = steps.map(({ what, command, quorums }, i) => {
    const who = quorums.length === 0 ? '' : `\n${indented(indented(quorumsText(quorums)))}`;
    return `${i + 1}. ${what}\n${indented(`$ ${command}`)}${who}`;
  });
  const todo = numbered.length === 0 ? [] : ['to do, in this order:', ...numbered];
  return [head, indented(table({ rows })), ...todo, ...notes.map((note) => `note: ${note}`)].join('\n');
}
