import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contender } from './contender.ts'
import { grpc, origin, ports, type Site, streamHost } from './site.ts'

export const haproxy: Contender = {
  name: 'haproxy',
  cannot: () => undefined,
  prepare: async (site) => {
    const file = (name: string): string => join(site.directory, name)
    const lines = (byHeader: boolean): string =>
      site.routes
        .filter(({ tenant }) => (tenant !== undefined) === byHeader)
        .map(
          ({ hostname, path, tenant, service }) =>
            `${hostname}${tenant === undefined ? path : `:${tenant}`} api-${service}\n`,
        )
        .join('')
    await writeFile(file('paths.map'), lines(false))
    await writeFile(file('tenants.map'), lines(true))
    await writeFile(file('haproxy.cfg'), configuration(site))
    return ['haproxy', '-db', '-f', file('haproxy.cfg')]
  },
}

/** The routes are two maps, which haproxy keeps as trees: host and first segment of the path, and host with the header. */
const configuration = ({ address, certificate, directory }: Site): string => `global
  nbthread 1
  maxconn 8000
  ssl-default-bind-options ssl-min-ver TLSv1.2

defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
  http-reuse always

frontend web
  option forwardfor
  bind ${address}:${ports.http}
  bind ${address}:${ports.https} ssl crt ${certificate.both} alpn h2,http/1.1
  http-request set-var(txn.host) req.hdr(host),field(1,:),lower
  http-request set-var(txn.segment) path,field(2,/)
  http-request set-var-fmt(txn.bypath) "%[var(txn.host)]/%[var(txn.segment)]"
  http-request set-var-fmt(txn.bytenant) "%[var(txn.host)]:%[req.hdr(x-tenant)]"
  http-request set-var(txn.service) var(txn.bytenant),map_str(${join(directory, 'tenants.map')})
  http-request set-var(txn.service) var(txn.bypath),map_str(${join(directory, 'paths.map')}) if !{ var(txn.service) -m found }
  http-request return status 404 if !{ var(txn.service) -m found } !{ var(txn.host) -m str ${grpc.hostname} }
  use_backend grpc if { var(txn.host) -m str ${grpc.hostname} } { path /${grpc.service}/${grpc.method} }
  use_backend %[var(txn.service)]
${origin.http.map((endpoint, n) => `\nbackend api-${n}\n  server origin ${endpoint}\n`).join('')}
backend grpc
  server origin ${origin.grpc} proto h2

frontend passthrough
  mode tcp
  bind ${address}:${ports.passthrough}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend stream if { req.ssl_sni ${streamHost} }

backend stream
  mode tcp
  server origin ${origin.stream}
`
