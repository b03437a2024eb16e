import { Client, credentials, Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js'
import { expect } from 'vitest'
import type { Cases } from './serve-cases.ts'
import { Code, grpcService } from './serve-origins.ts'
import { hosts, ports, type World } from './serve-world.ts'

/** How grpc-js is told that a client is for a host, whatever address it connects to. */
const clientOf = ({ site, authority }: World, host: string, port: number = ports.http): Client =>
  new Client(
    `${site.address}:${port}`,
    port === ports.http ? credentials.createInsecure() : credentials.createSsl(Buffer.from(authority)),
    {
      'grpc.default_authority': host,
      'grpc.ssl_target_name_override': host,
      'grpc.max_receive_message_length': -1,
    },
  )

interface Call {
  readonly message: Buffer | undefined
  readonly error: ServiceError | null
  readonly head: Metadata | undefined
  readonly status: StatusObject
}

const text = (string: string): Buffer => Buffer.from(string)

/** Milliseconds that a test gives a call which has an end. */
const enough = 10_000

/** One call of one message and one answer, with all that comes of it. */
function unary(
  client: Client,
  { path, requestSerialize, responseDeserialize }: (typeof grpcService)['unary'],
  message: Buffer,
  metadata = new Metadata(),
  deadline = Date.now() + enough,
): Promise<Call> {
  return new Promise((resolve) => {
    let head: Metadata | undefined
    let answer: Pick<Call, 'message' | 'error'> = { message: undefined, error: null }
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      metadata,
      { deadline },
      (error, answered) => {
        answer = { message: answered, error }
      },
    )
    call.on('metadata', (metadata) => {
      head = metadata
    })
    call.on('status', (status) => setImmediate(() => resolve({ ...answer, head, status })))
  })
}

async function withClient(
  world: World,
  prove: (client: Client) => Promise<void>,
  host: string = hosts.grpc,
  port?: number,
): Promise<void> {
  const client = clientOf(world, host, port)
  try {
    await prove(client)
  } finally {
    client.close()
  }
}

export const grpcCases: Cases = {
  'grpc-js makes a call, with metadata both ways and trailers': async (world) => {
    for (const port of [ports.http, ports.https]) {
      await withClient(
        world,
        async (client) => {
          const asked = new Metadata()
          asked.set('ask', 'what')
          const { message, head, status } = await unary(client, grpcService.unary, text('hello'), asked)
          expect([message?.toString(), status.code]).toEqual(['hello', 0])
          expect(head?.get('asked')).toEqual(['what'])
          expect(status.metadata.get('echoed')).toEqual(['yes'])
        },
        hosts.grpc,
        port,
      )
    }
  },
  'grpc-js sends and gets a message of 8 MB, and one of nothing': (world) =>
    withClient(world, async (client) => {
      const large = Buffer.alloc(8_000_000, 'large ')
      const { message, status } = await unary(client, grpcService.unary, large)
      expect([status.code, message?.equals(large)]).toEqual([0, true])
      expect((await unary(client, grpcService.unary, text(''))).message?.length).toBe(0)
    }),
  'grpc-js makes a thousand calls at once': (world) =>
    withClient(world, async (client) => {
      const calls = Array.from({ length: 1_000 }, (_, n) => unary(client, grpcService.unary, text(`${n}`)))
      const answers = (await Promise.all(calls)).map(({ message, status }) => `${status.code} ${message}`)
      expect(answers).toEqual(answers.map((_, n) => `0 ${n}`))
    }),
  'grpc-js streams to a server': (world) =>
    withClient(world, async (client) => {
      const { path, requestSerialize, responseDeserialize } = grpcService.collect
      const answered = new Promise<string>((resolve, reject) => {
        const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, (error, message) =>
          error === null ? resolve(String(message)) : reject(error),
        )
        for (const piece of ['a', 'b', 'c']) call.write(text(piece))
        call.end()
      })
      expect(await answered).toBe('abc')
    }),
  'grpc-js is streamed to by a server': (world) =>
    withClient(world, async (client) => {
      const { path, requestSerialize, responseDeserialize } = grpcService.spread
      const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, text('spread'))
      let got = ''
      for await (const message of call) got += message
      expect(got).toBe('spread')
    }),
  'grpc-js and a server talk in turns over one call': (world) =>
    withClient(world, async (client) => {
      const { path, requestSerialize, responseDeserialize } = grpcService.chat
      const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
      const status = new Promise<StatusObject>((resolve) => call.once('status', resolve))
      for (const word of ['one', 'two', 'three']) {
        const answered = new Promise<Buffer>((resolve) => call.once('data', resolve))
        call.write(text(word))
        expect(String(await answered)).toBe(word)
      }
      call.end()
      const { code, metadata } = await status
      expect([code, metadata.get('echoed')]).toEqual([0, ['yes']])
    }),
  'grpc-js is told of the status, message and trailers with which a server refuses': (world) =>
    withClient(world, async (client) => {
      const { status } = await unary(client, grpcService.fail, text(''))
      expect([status.code, status.details]).toEqual([Code.resourceExhausted, 'héllo, 100 %'])
      expect(status.metadata.get('reason')).toEqual(['because'])
      expect(status.metadata.get('detail-bin')).toEqual([Buffer.from([0, 1, 255])])
    }),
  'grpc-js whose deadline passes has its call ended, and the server is told': async (world) => {
    const before = world.grpc.cancelled
    await withClient(world, async (client) => {
      const { status } = await unary(client, grpcService.hang, text(''), new Metadata(), Date.now() + 200)
      expect(status.code).toBe(Code.deadlineExceeded)
      await world.running.until(() => world.grpc.cancelled > before)
    })
  },
  'grpc-js that cancels has its call ended, and the server is told': async (world) => {
    const before = world.grpc.cancelled
    await withClient(world, async (client) => {
      const { path, requestSerialize, responseDeserialize } = grpcService.chat
      const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
      const status = new Promise<StatusObject>((resolve) => call.once('status', resolve))
      call.on('error', () => {})
      const first = new Promise((resolve) => call.once('data', resolve))
      call.write(text('hello'))
      await first
      call.cancel()
      expect((await status).code).toBe(Code.cancelled)
      await world.running.until(() => world.grpc.cancelled > before)
    })
  },
  'grpc-js is told of a method that no server has by that server': (world) =>
    withClient(world, async (client) => {
      const { status } = await unary(client, { ...grpcService.unary, path: '/test.Echo/Nothing' }, text(''))
      expect([status.code, status.details]).toEqual([Code.unimplemented, expect.stringContaining('/test.Echo/Nothing')])
    }),
  'grpc-js is told UNAVAILABLE where there is no endpoint, and UNIMPLEMENTED where there is no route': async (
    world,
  ) => {
    await withClient(
      world,
      async (client) => {
        const { status } = await unary(client, grpcService.unary, text(''))
        expect([status.code, status.details]).toEqual([Code.unavailable, expect.stringContaining('no-endpoints')])
      },
      hosts.gone,
    )
    await withClient(
      world,
      async (client) => {
        const { status } = await unary(client, grpcService.unary, text(''))
        expect([status.code, status.details]).toEqual([Code.unimplemented, expect.stringContaining('no-route')])
      },
      'nobody.example.test',
    )
  },
}
