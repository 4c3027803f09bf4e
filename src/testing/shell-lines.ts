/** Shell blocks of our own documents, as lines that a session can run. */

/** The lines of every ```sh block of `markdown`, loops unrolled, comments cut off. */
export function shellLines(markdown: string): readonly string[] {
  const blocks = Array.from(markdown.matchAll(/```sh\n([^]*?)```/g), ([, block]) => block ?? '');
  return blocks.flatMap((block) => block.trim().split('\n')).flatMap((line) => unrolled(line.replace(/\s+# .*$/, '')));
}

/** `for r in a b; do LINE $r; done` as its lines. */
function unrolled(line: string): readonly string[] {
  const loop = /^for (\w+) in ([^;]+); do (.*); done$/.exec(line);
  if (loop === null) return [line];
  const [, variable = '', values = '', body = ''] = loop;
  return values.split(' ').map((value) => body.replaceAll(`$${variable}`, value));
}
