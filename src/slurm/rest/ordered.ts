/**
 * Does the same work for many items, a few at a time, and hands the results out in the items' order. The first failure
 * ends it and cancels what is under way; so does a caller who stops early.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  options: { readonly atOnce: number; readonly signal: AbortSignal },
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result, void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const underWay: Promise<Result>[] = [];
  try {
    for (const item of items) {
      const result = work(item, signal);
      // It is awaited in its turn; until then its failure must not count as unhandled.
      result.catch(() => undefined);
      underWay.push(result);
      const oldest = underWay.length >= options.atOnce ? underWay.shift() : undefined;
      if (oldest !== undefined) yield await oldest;
    }
    for (const result of underWay) yield await result;
  } finally {
    stop.abort();
  }
}
