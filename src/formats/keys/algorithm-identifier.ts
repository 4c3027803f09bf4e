/** AlgorithmIdentifier through the ASN.1 library: object identifier and parameters. @see RFC 5280 section 4.1.1.2 */
import * as asn1js from 'asn1js';
import { quote } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import { KEY_IDENTIFIERS } from './algorithms.ts';
import type { KeyIdentifier, KeyPurpose } from './algorithms.ts';
import { derOid, derSequence } from './der.ts';
import type { DerNode } from './der.ts';

/** An AlgorithmIdentifier. */
export function algorithmNode(identifier: KeyIdentifier): asn1js.Sequence {
  const oid = new asn1js.ObjectIdentifier({ value: identifier.oid });
  const { parameters } = identifier;
  if (parameters === undefined) return new asn1js.Sequence({ value: [oid] });
  const second = parameters === null ? new asn1js.Null() : new asn1js.ObjectIdentifier({ value: parameters });
  return new asn1js.Sequence({ value: [oid, second] });
}

/** The algorithm of an AlgorithmIdentifier, for `purpose`. @throws KEY_MALFORMED, ALGORITHM_UNKNOWN */
export function readAlgorithm(node: DerNode | undefined, purpose: KeyPurpose): KeyIdentifier {
  const [oidNode, parameters] = derSequence(node, { min: 1, max: 2, what: 'algorithm identifier' });
  const oid = derOid(oidNode, 'algorithm identifier');
  const named = KEY_IDENTIFIERS.filter((entry) => entry.oid === oid && entry.purpose === purpose);
  if (named.length === 0)
    throw failure('ALGORITHM_UNKNOWN', `no ${purpose} algorithm has the identifier ${quote(oid)}`);
  const found = named.find((entry) => entry.parameters === parametersOf(parameters));
  if (found === undefined) throw failure('KEY_MALFORMED', `the parameters of algorithm ${oid} are not those used here`);
  return found;
}

function parametersOf(node: DerNode | undefined): string | null | undefined {
  if (node === undefined) return undefined;
  return node instanceof asn1js.Null ? null : derOid(node, 'algorithm parameters');
}
