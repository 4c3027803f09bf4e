/** Names of sealed files. */

/** The name of a path without its folders. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `NAME.sevk` beside `NAME.sev`; beside any other name, that name with `.sevk` added. */
export function envelopesBeside(payload: string): string {
  return payload.endsWith('.sev') ? `${payload}k` : `${payload}.sevk`;
}
