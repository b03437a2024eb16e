import type { Source, SourceTopics } from './source.ts'

/** One look-up and what it gave. */
interface Look {
  readonly topic: keyof SourceTopics
  readonly name: string
  readonly answer: unknown
}

/** A result, and all that was looked up to make it. */
export interface Kept<V> {
  readonly value: V
  readonly looks: readonly Look[]
}

/** The earlier result while every look-up would give the same again, else a new one. `make` looks up nothing elsewhere. */
export function keep<V>(earlier: Kept<V> | undefined, source: Source, make: (source: Source) => V): Kept<V> {
  if (earlier !== undefined && holds(earlier, source)) return earlier
  const looks: Look[] = []
  const value = make({
    look: (topic, name) => {
      const answer = source.look(topic, name)
      if (!looks.some((look) => look.topic === topic && look.name === name)) looks.push({ topic, name, answer })
      return answer
    },
    news: source.news,
  })
  return { value, looks }
}

/** Whether nothing that the result was made of has changed since the compile before. */
export function holds({ looks }: Kept<unknown>, source: Source): boolean {
  for (const { topic, name, answer } of looks) {
    if (source.news.has(topic) && source.look(topic, name) !== answer) return false
  }
  return true
}
