/** Runs `job` on every item, so many at a time; rejects with the first rejection. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  job: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = items.values()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of left) await job(item)
    }),
  )
}
