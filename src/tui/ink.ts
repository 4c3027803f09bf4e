/**
 * What the screens use of ink, which is loaded when the first of them is shown: it takes 0.2 s, and as it waits for
 * something while it loads, it cannot be a part of what is put together in `dist/`.
 */
import type * as Ink from 'ink';
import { createElement } from 'react';
import type { ComponentProps, ReactElement } from 'react';

let ink: typeof Ink | undefined;

/** Loads ink; to be awaited before anything else of this module is used. */
export async function loadInk(): Promise<void> {
  ink = await import('ink');
}

function loaded(): typeof Ink {
  if (ink === undefined) throw new Error('ink is used before it is loaded');
  return ink;
}

/** ink's box. */
export function Box(props: ComponentProps<typeof Ink.Box>): ReactElement {
  return createElement(loaded().Box, props);
}

/** ink's text. */
export function Text(props: Ink.TextProps): ReactElement {
  return createElement(loaded().Text, props);
}

/** ink's `render`. */
export function render(...given: Parameters<typeof Ink.render>): Ink.Instance {
  return loaded().render(...given);
}

/** ink's `useInput`. */
export function useInput(...given: Parameters<typeof Ink.useInput>): void {
  loaded().useInput(...given);
}
