/** Things that are given up together; what `AsyncDisposableStack` is, which Node has from 24 on. */
export interface Disposables extends AsyncDisposable {
  /** Adds one, and hands it back. */
  use<T extends AsyncDisposable>(one: T): T;
}

/** Starts with none; they are disposed of one after the other, the last first, whatever the others do; the first error is thrown. */
export function disposables(): Disposables {
  const all: AsyncDisposable[] = [];
  return {
    use(one) {
      all.push(one);
      return one;
    },
    async [Symbol.asyncDispose]() {
      const failed: unknown[] = [];
      for (const one of all.splice(0).reverse()) {
        await Promise.resolve(one[Symbol.asyncDispose]()).catch((thrown: unknown) => failed.push(thrown));
      }
      if (failed.length > 0) throw failed[0];
    },
  };
}
