/**
 * The policy that a delegator has for a role that it delegates to.
 *
 * Invariant: under a delegator that had to meet a post-quantum threshold, so must whoever it delegates to.
 *
 * @see formats.md section 1, "Hybrid policy"; TAP 15
 */
import type { RoleKeys, Targets } from '../formats/metadata/types.ts';
import { keyThreshold } from './role-policy.ts';
import type { RolePolicy } from './role-policy.ts';
import { refusal, roleText } from './refusal.ts';

/** A Targets file that delegates. */
export interface DelegatingFile {
  readonly role: string;
  readonly signed: Targets;
  /** Whether it had to meet a post-quantum threshold. */
  readonly isHybrid: boolean;
}

/** A role of a delegation; a bin by its own name, with the keys of all. */
export interface DelegatedTo extends RoleKeys {
  readonly name: string;
  /** The delegation's name: with TAP 3 a role may stand in several. */
  readonly delegation: string;
}

/** The keys that a delegator gives to a role. @throws TRUST_HYBRID_MISSING */
export function delegatedPolicy({ role, signed, isHybrid }: DelegatingFile, to: DelegatedTo): RolePolicy {
  const keys = signed.delegations?.keys ?? new Map();
  const hybrid = signed.extension?.hybrid;
  const hybridRole = hybrid?.roles.get(signed.delegations?.succinct?.namePrefix ?? to.name);
  if (isHybrid && (hybrid === undefined || hybridRole === undefined)) {
    throw refusal('TRUST_HYBRID_MISSING', {
      role: to.name,
      message: `${roleText(role)} ${signed.version} gives ${roleText(to.name)} no post-quantum keys`,
    });
  }
  return {
    role: to.name,
    id: JSON.stringify([role, to.delegation, to.name]),
    delegator: `${roleText(role)} ${signed.version}`,
    classical: keyThreshold('classical', to, keys),
    postQuantum: hybrid && hybridRole && keyThreshold('post-quantum', hybridRole, hybrid.keys),
  };
}

/** The role, or the bin, called `name` among those that a file delegates to; undefined where there is none. */
export function delegatedRole({ delegations }: Targets, name: string): DelegatedTo | undefined {
  const succinct = delegations?.succinct;
  if (succinct !== undefined) {
    const digits = (2 ** succinct.bitLength - 1).toString(16).length;
    const index = name.startsWith(`${succinct.namePrefix}-`) ? name.slice(succinct.namePrefix.length + 1) : '';
    const isBin = /^[0-9a-f]+$/.test(index) && index.length === digits;
    if (!isBin || Number.parseInt(index, 16) >= 2 ** succinct.bitLength) return undefined;
    return { name, delegation: name, keyIds: succinct.keyIds, threshold: succinct.threshold };
  }
  for (const delegation of delegations?.roles ?? []) {
    const role = delegation.roles.find((one) => one.name === name);
    if (role !== undefined) return { ...role, delegation: delegation.name };
  }
  return undefined;
}
