/** Memory that several threads see and that begins at a page, so that the disk can take it as it is. */

/** What of `WebAssembly` is used here; Node has it without any type of its own. */
declare const WebAssembly: {
  readonly Memory: new (pages: { initial: number; maximum: number; shared: true }) => {
    readonly buffer: SharedArrayBuffer;
  };
};

const WASM_PAGE_BYTES = 64 * 1024;

/** At least `sizeBytes` of zeroed memory. A plain `SharedArrayBuffer` begins somewhere within a page. */
export function sharedMemory(sizeBytes: number): SharedArrayBuffer {
  const pages = Math.max(1, Math.ceil(sizeBytes / WASM_PAGE_BYTES));
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer;
}
