import type { Log } from '../standalone/log.ts'

/** Lines of one event in a minute. What clients do wrong is theirs to repeat, and must not fill a disk. */
const linesAMinute = 10

interface Count {
  minute: number
  lines: number
  /** Lines left out since the last that was written. */
  omitted: number
}

/** Logs events as warnings, each so often only; `now` in milliseconds. Events are few: names, not sentences. */
export function limitedLog(log: { warn(fields: object, event: string): void }, now: () => number): Log {
  const counts = new Map<string, Count>()
  return (event, fields) => {
    const minute = Math.floor(now() / 60_000)
    const count = counts.get(event) ?? { minute, lines: 0, omitted: 0 }
    counts.set(event, count)
    if (count.minute !== minute) Object.assign(count, { minute, lines: 0 })
    if (count.lines >= linesAMinute) {
      count.omitted++
      return
    }
    count.lines++
    log.warn(count.omitted === 0 ? fields : { ...fields, omitted: count.omitted }, event)
    count.omitted = 0
  }
}
