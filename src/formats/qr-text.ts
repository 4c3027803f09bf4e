/** QR codes as text: two rows of modules to a line in half blocks, dark where a module is dark, with the quiet zone. */
import { encodeQR } from 'qr';

const QUIET = 2;

/**
 * Draws `text` as lines of half blocks, for paper (black on white) and for screens that set both colours.
 * @see ISO/IEC 18004
 */
export function qrText(text: string): string {
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET });
  const dark = (row: number, column: number): boolean => modules[row]?.[column] ?? false;
  const width = modules[0]?.length ?? 0;
  const lines = Array.from({ length: Math.ceil(modules.length / 2) }, (_, line) =>
    Array.from({ length: width }, (__, column) => halfBlock(dark(2 * line, column), dark(2 * line + 1, column))).join(
      '',
    ),
  );
  return lines.join('\n');
}

function halfBlock(upper: boolean, lower: boolean): string {
  if (upper) return lower ? '█' : '▀';
  return lower ? '▄' : ' ';
}
