import { describe, expect, test } from 'vitest';
import { isFailure } from '../../core/errors.ts';
import { parsePkcs11Uri, publicPkcs11Uri } from './uri.ts';

const MODULE = '/usr/lib/module.so';

const codeOf = (text: string, module: string | undefined = MODULE): string => {
  try {
    parsePkcs11Uri(text, module);
  } catch (error) {
    if (isFailure(error)) return error.code;
    throw error;
  }
  return 'accepted';
};

describe('pkcs11 addresses (RFC 7512)', () => {
  test('give token, key and where the PIN is', () => {
    const text =
      'pkcs11:token=Root%20A;serial=0815;object=root-1;id=%69%95%3E%5C;type=private?pin-source=file:/run/pin&module-path=/lib/x.so';
    expect(parsePkcs11Uri(text, undefined)).toEqual({
      modulePath: '/lib/x.so',
      token: 'Root A',
      serial: '0815',
      manufacturer: undefined,
      model: undefined,
      object: 'root-1',
      id: Uint8Array.of(0x69, 0x95, 0x3e, 0x5c),
      pinSource: '/run/pin',
    });
  });

  test('are shown without the way to the PIN', () => {
    const uri = parsePkcs11Uri('pkcs11:token=a%3Bb;id=%01?pin-source=/run/pin', MODULE);
    expect(publicPkcs11Uri(uri)).toBe('pkcs11:token=a%3Bb;id=%01');
    expect(parsePkcs11Uri(publicPkcs11Uri(uri), MODULE)).toMatchObject({ token: 'a;b', id: Uint8Array.of(1) });
  });

  test.each([
    ['a PIN in the address', 'pkcs11:token=a?pin-value=1234'],
    ['an unknown attribute', 'pkcs11:tokn=a'],
    ['an attribute twice', 'pkcs11:token=a;token=b'],
    ['no value', 'pkcs11:token'],
    ['a broken escape', 'pkcs11:token=%4'],
    ['what is not UTF-8', 'pkcs11:token=%ff'],
    ['a public key', 'pkcs11:object=a;type=public'],
    ['a command as PIN source', 'pkcs11:token=a?pin-source=|cat'],
    ['two queries', 'pkcs11:token=a?pin-source=/a?module-path=/b'],
    ['another scheme', 'file:root.key'],
    ['endless text', `pkcs11:token=${'a'.repeat(5000)}`],
  ])('refuse %s', (_, text) => {
    expect(codeOf(text)).toBe('SIGNER_URI_MALFORMED');
  });

  test('need a module from somewhere', () => {
    expect(codeOf('pkcs11:token=a')).toBe('accepted');
    expect(parsePkcs11Uri('pkcs11:token=a', MODULE).modulePath).toBe(MODULE);
    expect(() => parsePkcs11Uri('pkcs11:token=a', undefined)).toThrow(/SECUREEV_PKCS11_MODULE/);
  });
});
