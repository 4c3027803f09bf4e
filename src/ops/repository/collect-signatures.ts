/** Adds the signatures that the keys at hand can give to a frozen version, each verified against the expected key first. */
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { signatureAlgorithm } from '../../crypto/signatures/index.ts';
import type { PublicKey } from '../../formats/keys/public-key.ts';
import { canonicalOf, signatureMessage } from '../../formats/metadata/envelope.ts';
import { maySign } from '../../plan/quorum.ts';
import type { Authority, SignedBy } from '../../plan/quorum.ts';
import type { Member } from '../../plan/role-definition.ts';
import type { SignerKey } from '../../signers/signer.ts';
import type { Tx } from '../../store/reader.ts';
import type { StoredRole } from '../../store/roles.ts';
import { addSignature, signaturesOn } from '../../store/versions.ts';
import type { FrozenVersion } from '../../store/versions.ts';

/** What to sign, under which authorities, with which keys. */
export interface CollectRequest {
  readonly role: StoredRole;
  readonly frozen: FrozenVersion;
  readonly authorities: readonly Authority[];
  /** The members of all roots concerned. */
  readonly members: readonly Member[];
  readonly keys: readonly SignerKey[];
  /** Count the keys as if they had signed, but use none. */
  readonly pretend: boolean;
}

/** Signs with every key that may; gives the key ids that were added. @throws KEY_SERVES_ANOTHER, SIGNATURE_INVALID */
export async function collectSignatures(tx: Tx, request: CollectRequest): Promise<readonly SignedBy[]> {
  const { role, frozen, keys, authorities } = request;
  const canonical = canonicalPayload(frozen.payload);
  const present = signaturesOn(tx, role, frozen.version);
  const added: SignedBy[] = [];
  for (const key of keys) {
    const by = sectionOf(key.publicKey);
    const known = present.some(({ section, keyId }) => section === by.section && keyId === by.keyId);
    if (known || !maySign(authorities, by)) continue;
    const signature = request.pretend ? new Uint8Array(1) : await signWith(tx.io.engine, key, { canonical, request });
    addSignature(tx, role, { ...by, version: frozen.version, signature });
    tx.about(`key:${by.keyId}`);
    added.push(by);
  }
  return added;
}

const BACKSLASH = 0x5c;

/** The canonical form of a payload as it is kept here: the payload itself, unless something in it had to be escaped. */
export function canonicalPayload(payload: Uint8Array): Uint8Array {
  return payload.includes(BACKSLASH) ? canonicalOf(payload) : payload;
}

/** The section that a key signs in, by its family. */
export function sectionOf(key: PublicKey): SignedBy {
  return { section: signatureAlgorithm(key.algorithm).family, keyId: key.keyId };
}

async function signWith(
  engine: EngineName,
  key: SignerKey,
  what: { canonical: Uint8Array; request: CollectRequest },
): Promise<Uint8Array> {
  const expected = expectedKey(what.request.members, key.publicKey);
  const algorithm = signatureAlgorithm(expected.algorithm);
  const message = signatureMessage(algorithm.family, what.canonical);
  const signature = await key.sign(message);
  algorithm.verify({ engine, publicKey: expected.bytes, message, signature });
  return signature;
}

/** The key as the root lists it, not as the signer claims it. */
function expectedKey(members: readonly Member[], claimed: PublicKey): PublicKey {
  const listed = members
    .flatMap(({ classical, postQuantum }) => (postQuantum === undefined ? [classical] : [classical, postQuantum]))
    .find((key) => key.keyId === claimed.keyId);
  if (listed === undefined || !equalBytes(listed.bytes, claimed.bytes) || listed.algorithm !== claimed.algorithm) {
    throw failure('KEY_NOT_OF_ROLE', `the signer's key is not the one the root lists under ${claimed.keyId}`);
  }
  return listed;
}
