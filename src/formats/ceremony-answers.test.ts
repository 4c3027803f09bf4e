import { expect, test } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import { decodeCeremonyAnswers } from './ceremony-answers.ts';

const codeOf = (text: string): unknown => {
  try {
    return decodeCeremonyAnswers(utf8(text), 'answers.yaml');
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : thrown;
  }
};

test('answers are read, all of them may be missing', () => {
  const answers = decodeCeremonyAnswers(
    utf8("passphrases: { AL: x }\npins: { AL: '1234' }\ndice: 12\nprinter: p\n"),
    'a',
  );
  expect(answers).toEqual({
    passphrases: new Map([['AL', 'x']]),
    pins: new Map([['AL', '1234']]),
    dice: '12',
    printer: 'p',
  });
  expect(codeOf('{}\n')).toEqual({ passphrases: new Map(), pins: new Map(), dice: '', printer: undefined });
});

test('unknown fields and other shapes are refused', () => {
  expect(codeOf('passphrase: x\n')).toBe('YAML_FIELD_UNKNOWN');
  expect(codeOf('passphrases: [x]\n')).toBe('CEREMONY_ANSWERS_MALFORMED');
  expect(codeOf('passphrases: { AL: }\n')).toBe('CEREMONY_ANSWERS_MALFORMED');
  expect(codeOf('printer: [x]\n')).toBe('CEREMONY_ANSWERS_MALFORMED');
});
