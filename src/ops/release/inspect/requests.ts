/** Facts about signing requests and the answers to them. */
import { formatInstant } from '../../../core/brands.ts';
import { concatBytes, equalBytes, toHex } from '../../../core/bytes.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { encodeCbor } from '../../../formats/cbor.ts';
import { decodeMetadata, decodeRole, decodeSignedBytes } from '../../../formats/metadata/envelope.ts';
import { decodeSignedParts } from '../../../formats/otap/v2.ts';
import { ANSWER_BYTES_MAX, ANSWER_FORMAT, decodeAnswer } from '../../../formats/requests/answer.ts';
import { decodeRequest, REQUEST_BYTES_MAX, REQUEST_FORMAT } from '../../../formats/requests/request.ts';
import type { SigningRequest } from '../../../formats/requests/request.ts';
import type { Facts, Inspector } from './inspector.ts';

const SHOWN_MAX = 100;
const CBOR_MAP = 5;

/** A map of up to 23 members whose first, under the key 1, is `format`. */
function beginsAs(format: string): (first: Uint8Array) => boolean {
  const member = concatBytes(encodeCbor(1), encodeCbor(format));
  return (first) => (first[0] ?? 0) >> 5 === CBOR_MAP && equalBytes(first.subarray(1, 1 + member.length), member);
}

/** `*.sigreq`: what it asks for. What that would change is for `request sign` to work out, which verifies it first. */
export const requestInspector: Inspector = {
  kind: 'signing request',
  recognises: beginsAs(REQUEST_FORMAT),
  async read(path, io) {
    const bytes = await io.files.read(path, REQUEST_BYTES_MAX);
    const request = decodeRequest(bytes).unverified;
    const { subject, kind, role, roots, last, delegators, payload } = request;
    return {
      subject,
      role: kind === 'director' ? `director/${role}` : role,
      ...(subject === 'role' ? roleFacts(request) : bundleFacts(request)),
      repository: request.repository,
      repositoryKind: kind,
      created: formatInstant(request.created),
      digest: toHex(sha256(io.engine, bytes)),
      payloadBytes: payload.length,
      payloadDigest: toHex(sha256(io.engine, payload)),
      rootVersions: roots.map((file) => decodeRole(file, 'root').unverified.signed.version),
      lastVersion: last === undefined ? null : decodeMetadata(last, 'last').unverified.signed.version,
      delegatorVersions: delegators.map((file) => decodeRole(file, 'targets').unverified.signed.version),
      changes: 'shown by `secureev request sign`, which verifies them from a pinned root before it asks',
    };
  },
};

function roleFacts({ payload }: SigningRequest): Facts {
  const { role, version, expires } = decodeSignedBytes(payload);
  return { payloadRole: role, version, expires: formatInstant(expires) };
}

function bundleFacts({ payload, target }: SigningRequest): Facts {
  const { header, decoded } = decodeSignedParts(payload);
  const { release, model, releaseCounter, time, images } = decoded.unverified;
  return {
    target: target ?? null,
    gateway: header.gateway,
    release,
    model,
    releaseCounter,
    time: formatInstant(time),
    imageCount: images.length,
    images: images.slice(0, SHOWN_MAX).map((image) => image.target),
  };
}

/** `*.sig`: whose signatures are in it, and which request they are for. */
export const answerInspector: Inspector = {
  kind: 'answer to a signing request',
  recognises: beginsAs(ANSWER_FORMAT),
  async read(path, io) {
    const { request, signatures } = decodeAnswer(await io.files.read(path, ANSWER_BYTES_MAX)).unverified;
    return {
      requestDigest: toHex(request),
      signatures: signatures.map(({ section, keyId }) => ({ section, keyId })),
    };
  },
};
