// How soon a router has the routes of a node. Run: npm run bench -- bgp, with bird2 and gobgpd installed.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { BirdControl } from './bgp/bird.ts'
import { crowd, endpoint, list, localService, site } from './bgp/manifests.ts'
import { bird, gobgp, gobgpConfig, landfall, receiverConfig, type Speaker, senderConfig } from './bgp/place.ts'
import { median, type Row } from './report.ts'
import { cores, Pinned, stepAside } from './standalone/process.ts'

const run = promisify(execFile)

const routes = 100_000
const rounds = 7
/** Services with an endpoint on the node, and how often one of them loses it: so often unmeasured at first, as an agent that has run
 *  for a while has compiled its code. */
const services = 1_000
const warmUp = 20
const losses = 300
/** Milliseconds between two losses, so that each finds the agent at rest. */
const rest = 50
/** Milliseconds between two looks at the receiver: at a table that comes, and at a route that goes. 0: the next follows at once. */
const pause = { table: 5, route: 0 } as const
/** Milliseconds for anything. */
const patience = 60_000

/** 10.0.0.0, 10.0.0.1, … */
const address = (n: number): string => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`

const agent = join(import.meta.dirname, '../cli/landfall')

export async function bgpBench(): Promise<readonly Row[]> {
  stepAside()
  const directory = await mkdtemp(join(tmpdir(), 'landfall-bench-'))
  const running: Pinned[] = []
  const start = (name: string, core: number, command: readonly string[]): Pinned => {
    const started = new Pinned(name, core, command, { cwd: directory })
    running.push(started)
    return started
  }
  try {
    const receiver = await startReceiver(directory, start)
    const tables = await tableRows(directory, receiver, start)
    const withdrawals = await withdrawalRows(directory, receiver, start)
    receiver.close()
    return [...tables, ...withdrawals]
  } finally {
    for (const each of running) await each.stop()
    await rm(directory, { recursive: true })
  }
}

type Start = (name: string, core: number, command: readonly string[]) => Pinned

async function startReceiver(directory: string, start: Start): Promise<BirdControl> {
  return startBird(directory, 'receiver', cores.load, receiverConfig([landfall, gobgp, bird]), start)
}

async function startBird(directory: string, name: string, core: number, config: string, start: Start) {
  const file = (ending: string): string => join(directory, `${name}.${ending}`)
  await writeFile(file('conf'), config)
  start(name, core, ['bird', '-f', '-c', file('conf'), '-s', file('ctl'), '-P', file('pid')])
  return BirdControl.at(file('ctl'))
}

/** The same table from each sender, one after the other, in rounds. */
async function tableRows(directory: string, receiver: BirdControl, start: Start): Promise<readonly Row[]> {
  const addresses = Array.from({ length: routes }, (_, n) => address(n))
  const prefixes = addresses.map((each) => `${each}/32`)
  const sender = await startBird(directory, 'bird', cores.contender, senderConfig(prefixes), start)
  sender.close()

  await writeFile(join(directory, 'gobgp.json'), JSON.stringify(gobgpConfig()))
  const api = '127.0.0.1:50081'
  const peer = start('gobgp', cores.contender, ['gobgpd', '-f', 'gobgp.json', '-t', 'json', '--api-hosts', api])
  const summary = () => run('gobgp', ['-p', '50081', 'global', 'rib', 'summary']).catch(() => ({ stdout: '' }))
  await until(async () => (await summary()).stdout.includes(`Destination: ${routes},`))

  const manifests = join(directory, 'crowd')
  await mkdir(manifests)
  await writeFile(join(manifests, 'all.json'), list([...site(), ...crowd(addresses)]))
  const ours = startAgent(manifests, start)

  const senders = [landfall, gobgp, bird]
  const times = new Map<Speaker, Time[]>(senders.map((speaker) => [speaker, []]))
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < senders.length; n++) {
      const speaker = senders[(round + n) % senders.length] ?? landfall
      times.get(speaker)?.push(await timeOf(receiver, speaker))
    }
  }
  const of = (speaker: Speaker): readonly Time[] => times.get(speaker) ?? []
  const against = (speaker: Speaker, part: keyof Time): readonly number[] =>
    of(landfall).map(({ whole }, round) => whole / (of(speaker)[round]?.[part] ?? Number.NaN))
  const [ownMemory, gobgpMemory] = [await peakOf(ours), await peakOf(peer)]
  await ours.stop()
  const name = `${routes} routes`
  return [
    ...senders.flatMap((sender) => [
      {
        name: `${name}, from Established to the last, ${sender.name}`,
        value: median(of(sender).map(({ whole }) => whole)),
        unit: 'ms',
      },
      {
        name: `${name}, while they came, ${sender.name}`,
        value: median(of(sender).map(({ busy }) => busy)),
        unit: 'ms',
      },
    ]),
    {
      name: 'Landfall from Established / GoBGP from Established, the worst round',
      value: Math.max(...against(gobgp, 'whole')),
      unit: '',
      bar: { atMost: 1 },
    },
    {
      name: 'Landfall from Established / BIRD without its rest',
      value: median(against(bird, 'busy')),
      unit: '',
      bar: { atMost: 1.5 },
    },
    { name: 'peak memory, Landfall', value: ownMemory, unit: 'MB', bar: { atMost: gobgpMemory } },
    { name: 'peak memory, GoBGP', value: gobgpMemory, unit: 'MB' },
  ]
}

function startAgent(manifests: string, start: Start): Pinned {
  const words = ['bgp', 'agent', '-f', manifests, '--node', 'one', '--socket', `${manifests}.sock`, '--no-admin']
  return start('landfall', cores.contender, [agent, ...words])
}

/** Milliseconds to the last route, as the receiver sees it. */
interface Time {
  /** From Established. */
  readonly whole: number
  /** While routes came: BIRD and GoBGP rest before or between them. */
  readonly busy: number
}

async function timeOf(receiver: BirdControl, { name }: Speaker): Promise<Time> {
  await receiver.ask(`enable from_${name}`)
  await until(() => receiver.isUp(name), pause.table)
  const since = performance.now()
  let last = { at: since, count: 0 }
  let busy = 0
  await until(async () => {
    const count = await receiver.imported(name)
    const at = performance.now()
    if (count !== last.count) busy += at - last.at
    last = { at, count }
    return count === routes
  }, pause.table)
  const time = { whole: last.at - since, busy }
  await receiver.ask(`disable from_${name}`)
  await until(async () => (await receiver.imported(name)) === 0)
  return time
}

/** A Service's last endpoint on the node goes: how long the router still has the route. */
async function withdrawalRows(directory: string, receiver: BirdControl, start: Start): Promise<readonly Row[]> {
  const manifests = join(directory, 'local')
  await mkdir(manifests)
  const numbers = Array.from({ length: services }, (_, n) => n)
  await writeFile(join(manifests, 'site.json'), list([...site(), ...numbers.map((n) => localService(n, address(n)))]))
  const set = async (n: number, isReady: boolean): Promise<void> => {
    // Written beside and moved, as careful tools do.
    await writeFile(join(directory, 'draft.json'), JSON.stringify(endpoint(n, isReady)))
    await rename(join(directory, 'draft.json'), join(manifests, `slice-${n}.json`))
  }
  for (const n of numbers) await set(n, true)
  const ours = startAgent(manifests, start)
  const count = (wanted: number): Promise<void> =>
    until(async () => (await receiver.imported(landfall.name)) === wanted, pause.route)
  await receiver.ask(`enable from_${landfall.name}`)
  await count(services)
  const times: number[] = []
  for (let loss = -warmUp; loss < losses; loss++) {
    const n = ((loss + warmUp) * 331) % services
    await sleep(rest)
    const since = performance.now()
    await set(n, false)
    await count(services - 1)
    if (loss >= 0) times.push(performance.now() - since)
    await set(n, true)
    await count(services)
  }
  await ours.stop()
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN
  const name = `an endpoint of one of ${services} Services lost, to the route gone at the router`
  return [
    { name: `${name}, p50 of ${losses}`, value: at(0.5), unit: 'ms' },
    { name: `${name}, p99 of ${losses}`, value: at(0.99), unit: 'ms', bar: { atMost: 10 } },
  ]
}

async function until(isSo: () => Promise<boolean>, milliseconds = 20): Promise<void> {
  const deadline = performance.now() + patience
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not so after ${patience} ms: ${isSo}`)
    if (milliseconds > 0) await sleep(milliseconds)
  }
}

/** Megabytes that a process has had in memory at most. proc_pid_status(5). */
async function peakOf({ pid }: Pinned): Promise<number> {
  const [, kilobytes = 'NaN'] = /VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1000
}
