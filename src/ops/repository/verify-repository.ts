/**
 * `verify repository`: a published tree, in a folder or behind a URL, as a client that keeps what it trusts sees it.
 *
 * Invariants: the pinned root never comes from the tree; what is trusted is stored file by file as soon as it is
 * verified, so that the next run refuses to go back; the database is never touched.
 */
import type { Instant, TargetName } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { Check } from '../../core/report.ts';
import { loadDelegated, requireTarget } from '../../trust/find-target.ts';
import { roleText } from '../../trust/refusal.ts';
import type { TrustClient } from '../../trust/source.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { updateFrom } from '../../trust/update.ts';
import { checkBook, refusalFrom, refusalOf, shortList } from '../release/check-book.ts';
import type { CheckBook } from '../release/check-book.ts';
import { readPinnedRoot } from '../release/pinned-trust.ts';
import { storeBelow } from './client-state.ts';
import { downloadTarget } from './download-target.ts';
import type { Downloaded } from './download-target.ts';
import { attemptChain, passChain } from './metadata-checks.ts';
import { LINT_CHECKS, lintTree } from './lint.ts';
import type { LintFinding, LintId } from './lint.ts';
import { isUrl, treeSource } from './tree-source.ts';
import type { TreeSource } from './tree-source.ts';
import type { AllTargets } from './verify-all-targets.ts';

/** The checks, in their order. */
export const REPOSITORY_CHECKS = {
  metadata: 'metadata chain from the trusted root to Targets, nothing going back',
  expiry: 'metadata is unexpired',
  hybrid: 'post-quantum thresholds where the root demands them',
  'target-listed': 'the target is listed by a role that may list it',
  'target-content': 'length and hashes of the target are those listed',
  'targets-content': 'length and hashes of all targets that are there are those listed',
  'targets-there': 'every listed target is there',
} as const;

/** The id of a check of {@link REPOSITORY_CHECKS}. */
export type RepositoryCheckId = keyof typeof REPOSITORY_CHECKS;

/** What to verify, under what, and where to keep it. */
export interface VerifyRepositoryInput {
  /** A folder, or an http or https URL, with `metadata` and `targets` below it. */
  readonly tree: string;
  /** Path of the pinned root. */
  readonly root: string;
  /** The folder of trusted metadata; without it the tree is verified as by a client that sees it for the first time. */
  readonly state: string | undefined;
  readonly now: Instant;
  readonly requireHybrid: boolean;
  readonly target: TargetName | undefined;
  /** Verify every target there is. */
  readonly allTargets: boolean;
  /** The folder for verified targets. */
  readonly out: string | undefined;
  /** Look for what verifies but should not be so; loads every delegated role. */
  readonly lint: boolean;
  /** Ids of checks that may be skipped. */
  readonly allowSkip: readonly string[];
}

/** What was found. */
export interface RepositoryVerdict {
  readonly checks: readonly Check[];
  /** Why the tree is refused; undefined where it is good. */
  readonly refusal: SecureevError | undefined;
  /** What is trusted now; undefined where not everything up to Targets is. */
  readonly set: TrustedSet | undefined;
  readonly downloaded: Downloaded | undefined;
  readonly allTargets: AllTargets | undefined;
  /** What is not wrong but should not be so. */
  readonly findings: readonly LintFinding[];
}

type Book = CheckBook<RepositoryCheckId | LintId | 'delegations'>;

/**
 * Verifies a tree as a client. One that is not good is a verdict, not an exception.
 *
 * @throws FILE_NOT_FOUND, FILE_ACCESS, ROOT_INSIDE_TREE, HTTP_FAILED, USAGE, INTERRUPTED
 */
export async function verifyRepository(input: VerifyRepositoryInput, io: Io): Promise<RepositoryVerdict> {
  const book = checkBook<RepositoryCheckId | LintId | 'delegations'>(titlesFor(input));
  const { root, now, requireHybrid } = input;
  const tree = treeSource(io, input.tree);
  const metadata = isUrl(input.tree) ? undefined : input.tree;
  const pinnedRoot = await readPinnedRoot(io, { root, metadata, now, requireHybrid });
  const client = { source: tree.metadata, store: storeBelow(io.files, input.state) };
  const updated = await checkMetadata(book, () =>
    updateFrom(client.source, { engine: io.engine, pinnedRoot, now, requireHybrid, store: client.store }),
  );
  const fetched = updated && (await checkTarget({ book, input, io, tree, client, set: updated }));
  const set = fetched?.set ?? updated;
  const allTargets = set && (await checkAllTargets({ book, input, io, tree, client, set }));
  const findings = input.lint && set !== undefined ? await checkLint(book, client, set) : [];
  const checks = book.list();
  const refusal = refusalFrom(checks, input.allowSkip);
  return { checks, refusal, set, downloaded: fetched?.downloaded, allTargets, findings };
}

const OF_TARGET: readonly string[] = ['target-listed', 'target-content'] satisfies RepositoryCheckId[];
const OF_ALL_TARGETS: readonly string[] = ['targets-content', 'targets-there'] satisfies RepositoryCheckId[];

function titlesFor({ target, allTargets, lint }: VerifyRepositoryInput): Readonly<Record<string, string>> {
  const unasked = [...(target === undefined ? OF_TARGET : []), ...(allTargets ? [] : OF_ALL_TARGETS)];
  const asked = Object.fromEntries(Object.entries(REPOSITORY_CHECKS).filter(([id]) => !unasked.includes(id)));
  return lint ? { ...asked, delegations: 'every delegated role', ...LINT_CHECKS } : asked;
}

async function checkLint(book: Book, client: TrustClient, before: TrustedSet): Promise<readonly LintFinding[]> {
  const findings = lintTree(await withDelegated(book, client, before));
  for (const id of Object.keys(LINT_CHECKS) as LintId[]) recordLint(book, id, findings);
  return findings;
}

async function withDelegated(book: Book, client: TrustClient, before: TrustedSet): Promise<TrustedSet> {
  try {
    const set = await loadDelegated(client, before);
    book.pass('delegations', `${set.targets.size - 1} besides Targets, bins not looked at`);
    return set;
  } catch (thrown) {
    book.fail('delegations', refusalOf(thrown));
    return before;
  }
}

function recordLint(book: Book, id: LintId, findings: readonly LintFinding[]): void {
  const own = findings.filter((finding) => finding.id === id);
  if (own.length === 0) return book.pass(id, 'nothing found');
  book.fail(id, failure('LINT_FOUND', shortList(own.map(({ role, detail }) => `${roleText(role)}: ${detail}`))));
}

const CHAIN = { metadata: 'metadata', expiry: 'expiry', hybrid: 'hybrid' } as const;

async function checkMetadata(book: Book, update: () => Promise<TrustedSet>): Promise<TrustedSet | undefined> {
  const set = await attemptChain(book, CHAIN, update);
  if (set !== undefined) passChain(book, CHAIN, set);
  return set;
}

interface TargetWork {
  readonly book: Book;
  readonly input: VerifyRepositoryInput;
  readonly io: Io;
  readonly tree: TreeSource;
  readonly client: TrustClient;
  readonly set: TrustedSet;
}

async function checkTarget({ book, input, io, tree, client, set: before }: TargetWork) {
  const { target: name, out } = input;
  if (name === undefined) return undefined;
  let step: RepositoryCheckId = 'target-listed';
  try {
    const { set, found } = await requireTarget(client, before, { name });
    book.pass(step, found.verified.chain.join(', '));
    step = 'target-content';
    const { consistentSnapshot: isConsistent } = set.root.verified.signed;
    const downloaded = await downloadTarget({ tree, found, isConsistent, out }, io);
    book.pass(step, `${found.verified.target.length} bytes${downloaded.fetched ? '' : ', there already'}`);
    return { set, downloaded };
  } catch (thrown) {
    book.fail(step, refusalOf(thrown));
    return undefined;
  }
}

/** Few ask for it, and it takes a part of the program of its own. */
async function checkAllTargets({ book, input, ...work }: TargetWork): Promise<AllTargets | undefined> {
  if (!input.allTargets) return undefined;
  const { checkAllTargets: check } = await import('./verify-all-targets.ts');
  return await check(book, { ...work, out: input.out });
}
