// Whether the stand-alone data plane stays as it is under everything at once. Run: npm run bench -- soak (ten minutes), or
// node_modules/.bin/node bench/soak.ts MINUTES CHANGES
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '../test/serve-rig.ts'
import { startWorld, type World } from '../test/serve-world.ts'
import { type Report, type Row, tableOf, tell } from './report.ts'
import { beginChanges, change } from './soak/changes.ts'
import { type Count, mixedLoad } from './soak/load.ts'
import { cores, stepAside } from './standalone/process.ts'

/** What the process says of itself; bytes. */
interface Sample {
  readonly seconds: number
  readonly resident: number
  readonly heap: number
  /** Buffers. */
  readonly external: number
  readonly files: number
}

/** Milliseconds between two samples. */
const interval = 5_000

/** A soak of so many minutes, with so many changes, as a report; a line for each sample goes to standard error meanwhile. */
export async function soakBench(minutes = 10, changes = 10_000): Promise<Report> {
  stepAside()
  const world = await startWorld(['taskset', '-c', String(cores.contender), ...serve, '--log-level', 'warn'])
  try {
    await beginChanges(world)
    const begin = performance.now()
    const until = begin + minutes * 60_000
    const samples: Sample[] = []
    const sampling = sample(world, begin, until, samples)
    const [counts, made] = await Promise.all([mixedLoad(world, until), change(world, changes, until), sampling])
    return report(minutes, made, samples, counts, world.running.stderr)
  } finally {
    await world.close()
  }
}

async function sample({ running }: World, begin: number, until: number, samples: Sample[]): Promise<void> {
  for (let at = begin + interval; at < until; at += interval) {
    await sleep(Math.max(0, at - performance.now()))
    const metrics = await running.admin('/metrics')
    const of = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(metrics)?.[1] ?? Number.NaN)
    const one: Sample = {
      seconds: Math.round((performance.now() - begin) / 1000),
      resident: of('process_resident_memory_bytes'),
      heap: of('nodejs_heap_size_used_bytes'),
      external: of('nodejs_external_memory_bytes'),
      files: of('process_open_fds'),
    }
    samples.push(one)
    const { seconds, resident, heap, external, files } = one
    process.stderr.write(`${seconds} s: ${[resident, heap, external].map(inMegabytes).join(' ')} MB, ${files} files\n`)
  }
}

/** How much of the time the plateau is taken from, around its first minute, and the end from. */
const window = 30

function report(
  minutes: number,
  made: number,
  samples: readonly Sample[],
  counts: ReadonlyMap<string, Count>,
  log: string,
): Report {
  const end = minutes * 60
  const around = (seconds: number) => samples.filter((each) => Math.abs(each.seconds - seconds) <= window)
  const [plateau, last] = [around(Math.min(60, end / 2)), around(end - window)]
  const row = (name: string, of: (sample: Sample) => number, shown: (value: number) => string): string => {
    const [before, after] = [meanOf(plateau, of), meanOf(last, of)]
    return `| ${name} | ${shown(before)} | ${shown(after)} | ${percent(before, after).toFixed(1)} % |`
  }
  const memory = [
    row('resident memory', resident, (value) => `${inMegabytes(value)} MB`),
    row(
      'heap in use',
      ({ heap }) => heap,
      (value) => `${inMegabytes(value)} MB`,
    ),
    row(
      'buffers',
      ({ external }) => external,
      (value) => `${inMegabytes(value)} MB`,
    ),
    row(
      'open files',
      ({ files }) => files,
      (value) => value.toFixed(0),
    ),
  ]
  const clients = [...counts].map(
    ([name, { done, failed, failure }]) => `| ${name} | ${done} | ${failed} | ${failure} |`,
  )
  const course = samples
    .filter((_, index) => index % 6 === 5)
    .map((each) => `| ${each.seconds} s | ${inMegabytes(each.resident)} | ${inMegabytes(each.heap)} | ${each.files} |`)
  const rows: readonly Row[] = [
    {
      name: 'growth of resident memory after the first minute',
      value: percent(meanOf(plateau, resident), meanOf(last, resident)),
      unit: '%',
      bar: { atMost: 10 },
    },
    {
      name: 'failed',
      value: [...counts.values()].reduce((sum, { failed }) => sum + failed, 0),
      unit: '',
      bar: { atMost: 0 },
    },
  ]
  const table = [
    `## ${minutes} minutes of mixed load and ${made} changes on one core`,
    '',
    '| | at one minute | at the end | growth |',
    '| --- | ---: | ---: | ---: |',
    ...memory,
    '',
    ...tableOf(rows),
    '',
    '| clients | done | failed | |',
    '| --- | ---: | ---: | --- |',
    ...clients,
    '',
    '| | resident MB | heap MB | files |',
    '| --- | ---: | ---: | ---: |',
    ...course,
    '',
    'The log, at warn and above:',
    '',
    ...logged(log),
    '',
  ].join('\n')
  return { table, rows }
}

const resident = (sample: Sample): number => sample.resident

/** How often each was said, digits aside. */
function logged(log: string): readonly string[] {
  const messages = log
    .split('\n')
    .filter(Boolean)
    .map((line) => String(JSON.parse(line).msg).replace(/\d+/g, 'N'))
  const groups = Map.groupBy(messages, (message) => message)
  return [...groups].slice(0, 20).map(([message, lines]) => `- ${lines.length} x ${message}`)
}

const inMegabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1)
const meanOf = (samples: readonly Sample[], of: (sample: Sample) => number): number =>
  samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
const percent = (before: number, after: number): number => (after / before - 1) * 100

if (import.meta.main) {
  const [minutes = '10', changes = '10000'] = process.argv.slice(2)
  tell(await soakBench(Number(minutes), Number(changes)))
  process.exit()
}
