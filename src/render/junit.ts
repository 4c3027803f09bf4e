/** A list of checks as JUnit XML, which CI systems show. */
import type { Check } from '../core/report.ts';

/** One test suite with one test case per check; a skipped check that is not allowed counts as a failure. */
export function junitXml(suite: string, checks: readonly Check[], allowSkip: readonly string[]): string {
  const cases = checks.map((check) => testCase(suite, check, allowSkip));
  const failures = cases.filter((text) => text.includes('<failure')).length;
  const skipped = cases.filter((text) => text.includes('<skipped')).length;
  const counts = `tests="${checks.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escaped(suite)}" ${counts}>`,
    ...cases,
    '</testsuite>\n',
  ].join('\n');
}

function testCase(suite: string, check: Check, allowSkip: readonly string[]): string {
  const open = `  <testcase classname="${escaped(suite)}" name="${escaped(check.id)}">`;
  const said = `    <system-out>${escaped(`${check.title}: ${check.detail}`)}</system-out>`;
  if (check.status === 'pass') return `${open}\n${said}\n  </testcase>`;
  const allowed = check.status === 'skip' && allowSkip.includes(check.id);
  const message = `message="${escaped(check.detail)}"`;
  const outcome = allowed ? `<skipped ${message}/>` : `<failure type="${check.code ?? 'CHECK_SKIPPED'}" ${message}/>`;
  return `${open}\n    ${outcome}\n${said}\n  </testcase>`;
}

/** XML 1.0 has no way to write most control characters: they become U+FFFD. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\x20-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[\n\r\t]/g, (c) => `&#${c.charCodeAt(0)};`);
}
