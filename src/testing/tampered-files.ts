/** Metadata of a simulated repository that is spelled in another way, well signed or not. */
import { toHex, utf8 } from '../core/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { encodeSigned } from '../formats/metadata/envelope.ts';
import type { Signed, TopLevelRole } from '../formats/metadata/types.ts';
import { signBytes } from './metadata-keys.ts';
import type { Simulator } from './simulator.ts';
import { outcomeOf, trustingClient } from './trusting-client.ts';

/** Updates a fresh client that pins root 1. */
export async function updated(simulator: Simulator): Promise<string> {
  return await outcomeOf(trustingClient(simulator).update());
}

/** Publishes a role once more with its `signed` text changed, well signed. */
export function respell(simulator: Simulator, role: TopLevelRole, change: (text: string) => string): void {
  simulator.publish();
  const body: Signed = simulator.bodies[role];
  const signers = simulator.signers.get(role);
  if (signers === undefined) throw new Error(`no keys for ${role}`);
  const bytes = signBytes(utf8(change(new TextDecoder().decode(encodeSigned(body)))), signers);
  const name = role === 'timestamp' ? 'timestamp.json' : `${body.version}.${role}.json`;
  simulator.files.set(name, bytes);
  if (role === 'snapshot') relist(simulator, bytes);
}

/** A Timestamp over a Snapshot whose bytes were made elsewhere. */
function relist(simulator: Simulator, bytes: Uint8Array): void {
  const hashes = new Map([['sha256', toHex(sha256('native', bytes))]]);
  simulator.edit('timestamp', ({ snapshot }) => ({ snapshot: { ...snapshot, length: bytes.length, hashes } }));
  simulator.publishTimestamp();
}

/** Changes the text of a whole file as it lies in the tree, its signatures with it. */
export function tamper(simulator: Simulator, name: string, change: (text: string) => string): void {
  const bytes = simulator.files.get(name) ?? new Uint8Array();
  simulator.files.set(name, utf8(change(new TextDecoder().decode(bytes))));
}
