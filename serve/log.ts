import process from 'node:process'
import { styleText } from 'node:util'
import { type Logger, pino } from 'pino'

/** Bytes that wait for a reader of the log who is slow or gone; what comes above is lost. */
const maxWaiting = 16 * 1024 * 1024

/** In lines of JSON: on standard error for what happens, on standard output for requests. */
export const createLog = (level: string, stream: 1 | 2): Logger => {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  // To a person's terminal a line is written at once and never waits.
  if (stream === 2 && process.stderr.isTTY === true)
    return pino(options, { write: (line) => void process.stderr.write(forPeople(line)) })
  return pino(options, pino.destination({ dest: stream, sync: false, maxLength: maxWaiting }))
}

/** "10:14:39 warn  what has happened  port=8080" */
export function forPeople(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line)
  const rest = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const mark = styleText(colours[level] ?? 'dim', String(level).padEnd(5))
  return `${styleText('dim', new Date(time).toTimeString().slice(0, 8))} ${mark} ${[msg, styleText('dim', rest.join(' '))].join('  ').trimEnd()}\n`
}

const colours: Readonly<Record<string, 'red' | 'yellow' | 'green'>> = { error: 'red', warn: 'yellow', info: 'green' }
