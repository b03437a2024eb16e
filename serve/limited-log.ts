/** Lines of one event in a second. What clients do wrong is theirs to repeat, and must not fill a disk. */
const linesASecond = 10

interface Count {
  second: number
  lines: number
  /** Lines left out since the last that was written. */
  omitted: number
}

/** Logs events as warnings, each so often only; `now` in milliseconds. Events are few: names, not sentences. */
export function limitedLog(
  log: { warn(fields: object, event: string): void },
  now: () => number,
): (event: string, fields: Readonly<Record<string, string | number>>) => void {
  const counts = new Map<string, Count>()
  return (event, fields) => {
    const second = Math.floor(now() / 1000)
    const count = counts.get(event) ?? { second, lines: 0, omitted: 0 }
    counts.set(event, count)
    if (count.second !== second) Object.assign(count, { second, lines: 0 })
    if (count.lines >= linesASecond) {
      count.omitted++
      return
    }
    count.lines++
    log.warn(count.omitted === 0 ? fields : { ...fields, omitted: count.omitted }, event)
    count.omitted = 0
  }
}
