import { connect as connectTcp, isIP, type OnReadOpts, Socket, type TcpNetConnectOpts } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type SecureContext } from 'node:tls'
import type { BackendTls, Endpoint } from '../../proto/gen/route_table.ts'
import { ExchangeError, type ExchangeFault } from '../exchange.ts'
import type { Connect } from '../origin-client.ts'
import { createOriginContexts, type KeyPair } from './context.ts'
import { identityFault } from './identity.ts'

/** `clientCertificate` is asked for each connection what an origin is shown that wants one: Gateway.spec.tls.backend. */
export function createConnect(clientCertificate: () => KeyPair | undefined): Connect {
  const contexts = createOriginContexts(clientCertificate)
  return ({ endpoint, tls }, protocols, ready, onread) => {
    try {
      if (tls === undefined) return connectInClear(endpoint, ready, onread)
      return connectSecurely(endpoint, tls, contexts.get(tls.authorities), protocols, ready, onread)
    } catch (error) {
      // A client certificate that is none, a port above 65535.
      const kind = tls === undefined ? 'connect-failed' : 'tls-failed'
      process.nextTick(ready, new ExchangeError(kind, `${error}`, true))
      return new Socket().destroy()
    }
  }
}

/** What has happened when a socket of `createConnect` reports an error after it was ready. In TLS 1.3 an origin can refuse the
 *  client's certificate only then. RFC 8446 section 4.4.2.4. */
export function lossFault(error: Error & { readonly code?: string }): ExchangeFault {
  return error.code?.startsWith('ERR_SSL_') ? 'tls-failed' : 'connection-lost'
}

type Ready = Parameters<Connect>[2]

function tcpOptions({ address, port }: Endpoint, onread: OnReadOpts | undefined): TcpNetConnectOpts {
  return { host: address, port, noDelay: true, ...(onread !== undefined && { onread }) }
}

function connectInClear(endpoint: Endpoint, ready: Ready, onread: OnReadOpts | undefined): Socket {
  const socket = connectTcp(tcpOptions(endpoint, onread))
  const fail = ({ message }: Error): void => ready(new ExchangeError('connect-failed', message, true))
  socket.once('error', fail)
  socket.once('connect', () => {
    socket.off('error', fail)
    ready(undefined)
  })
  return socket
}

/** Every connection makes its whole handshake: no session of an earlier one is resumed, because a resumed session has the
 *  verdict of the policy under which it began. */
function connectSecurely(
  endpoint: Endpoint,
  tls: BackendTls,
  secureContext: SecureContext,
  protocols: Parameters<Connect>[1],
  ready: Ready,
  onread: OnReadOpts | undefined,
): Socket {
  const options: ConnectionOptions & TcpNetConnectOpts = {
    ...tcpOptions(endpoint, onread),
    secureContext,
    // RFC 6066 section 3: a server name is no address.
    servername: isIP(tls.hostname) === 0 ? tls.hostname : '',
    ALPNProtocols: [...protocols],
    // Said here, so that NODE_TLS_REJECT_UNAUTHORIZED=0 changes nothing.
    rejectUnauthorized: true,
    // Not called for resumed sessions, and given text: the name is checked below.
    checkServerIdentity: () => undefined,
  }
  const socket = connectTls(options)
  let fault: ExchangeFault = 'connect-failed'
  const fail = ({ message }: Error): void => ready(new ExchangeError(fault, message, true))
  socket.once('error', fail)
  socket.once('connect', () => {
    fault = 'tls-failed'
  })
  socket.once('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate()
    const wrong = certificate === undefined ? 'no certificate' : identityFault(certificate, tls)
    if (wrong !== undefined) {
      socket.destroy(new Error(wrong))
      return
    }
    socket.off('error', fail)
    ready(undefined)
  })
  return socket
}
