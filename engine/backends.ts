/** One of several by weight; undefined when all weights are zero. `random` is in [0, 1). HTTPBackendRef.weight. */
export function chooseByWeight<T extends { readonly weight: number }>(
  choices: readonly T[],
  random: () => number,
): T | undefined {
  let sum = 0
  for (const { weight } of choices) sum += weight
  let left = random() * sum
  let chosen: T | undefined
  for (const choice of choices) {
    if (choice.weight === 0) continue
    chosen = choice
    left -= choice.weight
    if (left < 0) break
  }
  return chosen
}
