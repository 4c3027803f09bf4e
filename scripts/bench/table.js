// Rows of measures as a Markdown table.

/** Seconds as a person reads them. */
export function seconds(value) {
  return value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)} s`;
}

/** The table of all rows. */
export function markdownTable(rows) {
  const head = ['measure', 'secureev', 'peer', 'ratio', 'goal', 'met'];
  const cells = rows.map(({ measure, ours, peer, ratio, goal, met }) => [
    measure,
    ours,
    peer,
    ratio,
    goal,
    met ? 'yes' : '**no**',
  ]);
  const line = (row) => `| ${row.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...cells.map(line)].join('\n');
}
