/** The vectors of `fixtures/otap/` and the worked example of FORMAT.md, made afresh and compared byte by byte. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../core/bytes.ts';
import { CONTENT_CODES } from '../../core/codes-of-content.ts';
import { isErrorCode, isFailure } from '../../core/errors.ts';
import { ENGINES } from '../../crypto/engine.ts';
import { sha256 } from '../../crypto/hash.ts';
import { signatureAlgorithm } from '../../crypto/signatures/index.ts';
import { nodeZstd } from '../../io/zstd.ts';
import { otapVectors, VECTOR_KEYS, workedExample } from '../../testing/otap-vectors.ts';
import { openBundle } from './index.ts';
import { encodeManifest } from './manifest.ts';

const FOLDER = new URL('../../../fixtures/otap/', import.meta.url);

interface Listed {
  readonly name: string;
  readonly about: string;
  readonly sha256: string;
  readonly refused: string | null;
}

const listed = JSON.parse(await readFile(new URL('vectors.json', FOLDER), 'utf8')) as { vectors: readonly Listed[] };
const fresh = await otapVectors();

async function outcome(bytes: Uint8Array, engine: (typeof ENGINES)[number]): Promise<string | null> {
  try {
    const bundle = await openBundle([bytes], engine);
    for (const signature of bundle.head.signatures) {
      const key = VECTOR_KEYS.find(({ algorithm }) => algorithm === signature.algorithm);
      const algorithm = signatureAlgorithm(signature.algorithm);
      const publicKey = algorithm.publicKeyOf('noble', key?.secret ?? new Uint8Array(0));
      const message = bundle.head.toBeSigned(signature);
      algorithm.verify({ engine, publicKey, message, signature: signature.signature });
    }
    await bundle.readPayloads(bundle.head.manifest.unverified.images, { engine, zstd: nodeZstd() });
    await bundle.finish();
    return null;
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : 'uncoded';
  }
}

describe('vectors of OTAP version 2', () => {
  it('are all of them, each as it is made afresh', () => {
    const made = fresh.map(({ name, about, bytes, refused }) => {
      return { name, about, sha256: toHex(sha256('noble', bytes)), refused: refused ?? null };
    });
    expect(listed.vectors).toEqual(made);
  });

  it.each(listed.vectors)('$name: $about', async ({ name, sha256: hash, refused }) => {
    const bytes = new Uint8Array(await readFile(new URL(`${name}.otap`, FOLDER)));
    expect(toHex(sha256('noble', bytes))).toBe(hash);
    for (const engine of ENGINES) expect(await outcome(bytes, engine)).toBe(refused);
    expect(refused === null || isErrorCode(refused)).toBe(true);
  });
});

describe('FORMAT.md', async () => {
  const text = await readFile(new URL('FORMAT.md', import.meta.url), 'utf8');
  const example = await workedExample();

  /** The bytes of the code block after a heading; `...` ends them. */
  function block(title: string): Uint8Array {
    const found = text.split(`**${title}**`)[1]?.match(/```\n([\s\S]*?)```/)?.[1] ?? '';
    return fromHex(found.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, ''));
  }

  it('shows the worked example byte for byte', () => {
    const { bytes, manifest, stored } = example;
    const parts = ['Header', 'Manifest', 'Signatures', 'Tree'].map(block);
    const [header, encoded, signatures, tree] = parts.map(toHex);
    expect(`${header}${encoded}${signatures}${tree}`).toBe(
      toHex(
        bytes.slice(
          0,
          parts.reduce((n, p) => n + p.length, 0),
        ),
      ),
    );
    expect(encoded).toBe(toHex(encodeManifest(manifest)));
    expect(tree).toBe(toHex(stored.tree.parents));
    expect(text).toContain(toHex(sha256('noble', bytes)));
    expect(text).toContain(String(bytes.length));
  });

  it('shows what is signed', async () => {
    const { head } = await openBundle([example.bytes], 'noble');
    const [signature] = head.signatures;
    expect(signature).toBeDefined();
    expect(toHex(block('To be signed'))).toBe(signature === undefined ? '' : toHex(head.toBeSigned(signature)));
  });

  it('names every error code of the room', () => {
    const codes = Object.keys(CONTENT_CODES).filter((code) => /^(OTAP|ZSTD|COSE|CBOR)_/.test(code));
    expect(codes.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
  });
});
