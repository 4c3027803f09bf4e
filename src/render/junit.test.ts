import { describe, expect, it } from 'vitest';
import type { Check } from '../core/report.ts';
import { junitXml } from './junit.ts';

const checks: readonly Check[] = [
  { id: 'a', title: 'first', status: 'pass', detail: 'fine' },
  { id: 'b', title: 'second', status: 'fail', detail: '<x> & "y"\u0000\n\ud800', code: 'OTAP_TRUNCATED' },
  { id: 'c', title: 'third', status: 'skip', detail: 'no metadata' },
];

describe('JUnit XML', () => {
  it('has one case per check, a skip that is not allowed being a failure', () => {
    expect(junitXml('verify', checks, [])).toContain('tests="3" failures="2" errors="0" skipped="0"');
    expect(junitXml('verify', checks, ['c'])).toContain('tests="3" failures="1" errors="0" skipped="1"');
    expect(junitXml('verify', checks, [])).toContain('<failure type="CHECK_SKIPPED" message="no metadata"/>');
  });

  it('escapes what XML cannot hold', () => {
    const xml = junitXml('verify', checks, []);
    expect(xml).toContain('<failure type="OTAP_TRUNCATED" message="&lt;x&gt; &amp; &quot;y&quot;\ufffd&#10;\ufffd"/>');
    expect(xml).not.toMatch(/[\u0000-\u0008\ud800-\udfff]/);
  });
});
