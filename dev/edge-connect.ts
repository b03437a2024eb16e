import { connect } from 'node:net'
import { ExchangeError } from '../standalone/exchange.ts'
import type { Connect } from '../standalone/origin-client.ts'

/** Connects to a unix socket, whatever the origin, and says `greeting` there first. */
export const connectToSocket =
  (path: string, greeting = ''): Connect =>
  (_origin, _protocols, ready, onread) => {
    const socket = connect({ path, ...(onread !== undefined && { onread }) })
    const fail = ({ message }: Error): void => ready(new ExchangeError('connect-failed', message, true))
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      if (greeting !== '') socket.write(greeting)
      ready(undefined)
    })
    return socket
  }
