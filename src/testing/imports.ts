/** Reads what a source file imports: static, type-only and dynamic imports, re-exports, `require` and worker URLs. */

/** One import of a file. */
export interface ImportFound {
  /** What is imported, as written. */
  readonly from: string;
  /** `type`: gone at run time. `lazy`: loaded when the code gets there. */
  readonly how: 'static' | 'type' | 'lazy';
}

const STATIC = /(?:^|[;}\n])\s*(import|export)\b(\s+type\b)?([^'"`;]*?\bfrom)?\s*(['"])([^'"\n]+)\4/g;
const LAZY = /\b(?:import|require|getBuiltinModule)\s*\(\s*(?:(['"`])([^'"`\n]*)\1|([^)\s'"`]))/g;
const TYPE_QUERY = /\btypeof\s+$/;
const WORKER = /new URL\(\s*(['"])(\.{1,2}\/[^'"\n]+\.[jt]sx?)\1/g;

/** Every import of `source`. An argument of `import()` that is not a literal is given as `?`. */
export function importsOf(source: string): readonly ImportFound[] {
  const code = withoutComments(source);
  const found: ImportFound[] = [];
  for (const match of code.matchAll(STATIC)) {
    found.push({ from: match[5] ?? '?', how: match[2] === undefined ? 'static' : 'type' });
  }
  for (const match of code.matchAll(LAZY)) {
    const asType = TYPE_QUERY.test(code.slice(0, match.index));
    found.push({ from: match[2] ?? '?', how: asType ? 'type' : 'lazy' });
  }
  for (const match of code.matchAll(WORKER)) found.push({ from: match[2] ?? '?', how: 'lazy' });
  return found;
}

/** Blanks comments out; what looks like one inside a string stays. */
function withoutComments(source: string): string {
  const token = /(['"])(?:\\.|(?!\1)[^\\\n])*\1|`(?:\\.|[^\\`])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return source.replace(token, (text) => (text.startsWith('//') || text.startsWith('/*') ? ' ' : text));
}
