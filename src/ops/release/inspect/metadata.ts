/** Facts about metadata files. */
import { formatInstant } from '../../../core/brands.ts';
import { decodeMetadata } from '../../../formats/metadata/envelope.ts';
import { METADATA_BYTES_MAX } from '../../../formats/metadata/limits.ts';
import type { Envelope, KeyRing, MetaFile, Signed } from '../../../formats/metadata/types.ts';
import type { Facts, Inspector } from './inspector.ts';

const SHOWN_MAX = 100;

/** Any role of any dialect. */
export const metadataInspector: Inspector = {
  kind: 'metadata',
  recognises: (first) => /^\s*\{\s*"(?:signatures|signed|x-secureev)"/.test(new TextDecoder('latin1').decode(first)),
  async read(path, io) {
    const bytes = await io.files.read(path, METADATA_BYTES_MAX.targets);
    return metadataFacts(decodeMetadata(bytes).unverified);
  },
};

/** What a file of metadata says. */
export function metadataFacts({ signed, signatures, hybridSignatures, dialect }: Envelope): Facts {
  const { extension } = signed;
  return {
    role: signed.role,
    version: signed.version,
    expires: formatInstant(signed.expires),
    dialect,
    specVersion: signed.specVersion,
    repository: extension?.repository ?? null,
    repositoryKind: extension?.kind ?? null,
    ...(extension?.log === undefined ? {} : { log: { ...extension.log } }),
    ...bodyFacts(signed),
    ...(extension?.hybrid === undefined ? {} : { postQuantumRoles: ringFacts(extension.hybrid) }),
    signedBy: signatures.map(({ keyId }) => keyId),
    postQuantumSignedBy: hybridSignatures.map(({ keyId }) => keyId),
  };
}

function bodyFacts(signed: Signed): Facts {
  if (signed.role === 'root') return { consistentSnapshot: signed.consistentSnapshot, roles: ringFacts(signed) };
  if (signed.role === 'timestamp') return { snapshot: fileFacts(signed.snapshot) };
  if (signed.role === 'snapshot') {
    return { files: shown([...signed.meta].map(([name, file]) => ({ name, ...fileFacts(file) }))) };
  }
  const targets = [...signed.targets].map(([name, { length, hashes }]): Facts => {
    return { name, length, ...Object.fromEntries(hashes) };
  });
  const delegations = signed.delegations?.roles.map(({ name }) => name) ?? [];
  return { targetCount: targets.length, targets: shown(targets), delegations: shown(delegations) };
}

function ringFacts({ roles }: Pick<KeyRing, 'roles'>): Facts {
  return Object.fromEntries([...roles].map(([name, { threshold, keyIds }]) => [name, { threshold, keyIds }]));
}

function fileFacts({ version, length, hashes }: MetaFile): Facts {
  return { version, length: length ?? null, ...Object.fromEntries(hashes ?? []) };
}

function shown<T>(all: readonly T[]): readonly T[] {
  return all.slice(0, SHOWN_MAX);
}
