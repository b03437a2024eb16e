import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { compile } from '../control/compile/compile.ts'
import { site } from '../control/compile/object-fixture.ts'
import { Snapshot } from '../control/snapshot.ts'
import { statuses } from '../control/status/statuses.ts'
import { readManifests } from '../kube/manifests.ts'

// Every status assertion of the conformance suite, replayed over manifests. The replay asks for the statuses of a directory
// by a command; this one asks the test itself, so that Node need not start 130 times.

const replay = join(import.meta.dirname, '../../shared/conformance/replay.mjs')

/** Away from a replay with traffic that may run on this machine. */
const basePort = '21000'

let server: Server

beforeAll(async () => {
  server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterAll(() => {
  server.close()
})

/** Reads a directory's name, and writes the statuses of its objects. */
async function answer(socket: Socket): Promise<void> {
  for await (const directory of createInterface({ input: socket })) {
    const { objects } = await readManifests([directory])
    const all = statuses(compile(Snapshot.of(objects), site), '2026-01-01T00:00:00Z')
    socket.end(JSON.stringify(all.map(({ object: { kind, metadata }, status }) => ({ kind, metadata, status }))))
  }
}

const summary = z.record(
  z.string(),
  z.object({ pass: z.number(), fail: z.number(), failures: z.array(z.unknown()).optional() }),
)

if (!existsSync(replay)) console.log(`skipped: there is no ${replay}`)

test.skipIf(!existsSync(replay))(
  'all status assertions of the conformance suite hold',
  async () => {
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const directory = mkdtempSync(join(tmpdir(), 'landfall-replay-'))
    const out = join(directory, 'summary.json')
    const ask = `exec 3<>/dev/tcp/127.0.0.1/${port}; echo {dir} >&3; cat <&3`
    const child = spawn(process.execPath, [replay, '--status', ask, '--base-port', basePort, '--out', out], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [log] = await Promise.all([text(child.stdout), once(child, 'exit')])
    const tests = Object.values(summary.parse(JSON.parse(readFileSync(out, 'utf8'))))
    rmSync(directory, { recursive: true })
    expect(tests.flatMap(({ failures = [] }) => failures)).toEqual([])
    expect(log).toMatch(/tests: \d+ pass, 0 fail/)
    // A test of something that is claimed is skipped; so are those without any assertion on status.
    expect(tests.filter(({ pass }) => pass > 0).length).toBeGreaterThanOrEqual(129)
    expect(tests.reduce((sum, { pass }) => sum + pass, 0)).toBeGreaterThanOrEqual(700)
  },
  300_000,
)
