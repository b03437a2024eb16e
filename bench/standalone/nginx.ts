import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contender } from './contender.ts'
import type { BenchRoute } from './routes.ts'
import { grpc, origin, ports, type Site, streamHost } from './site.ts'

const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'

export const nginx: Contender = {
  name: 'nginx',
  cannot: (scenario) =>
    scenario === 'passthrough' && !existsSync(streamModule) ? 'apt install libnginx-mod-stream' : undefined,
  prepare: async (site) => {
    const file = join(site.directory, 'nginx.conf')
    await writeFile(file, configuration(site))
    return ['nginx', '-p', site.directory, '-c', file]
  },
}

/** What an nginx of one worker has to say about itself, its log and its temporary files; `directory` is for these. */
export const nginxMain = `daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
`

export const nginxHttp = `access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;`

/** The routes are two maps: host and first segment of the path, and the same with the header. Both are hash tables. */
const configuration = ({
  address,
  routes,
  certificate,
}: Site): string => `${existsSync(streamModule) ? `load_module ${streamModule};` : ''}
${nginxMain}${existsSync(streamModule) ? stream(address) : ''}
http {
  ${nginxHttp}
  map_hash_max_size 65536;
  map_hash_bucket_size 128;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_max_temp_file_size 0;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate ${certificate.certificate};
  ssl_certificate_key ${certificate.key};
${origin.http.map((endpoint, n) => upstream(`api-${n}`, endpoint)).join('')}${upstream('grpc', origin.grpc)}
  map $uri $segment { ~^(?<first>/[^/]*) $first; }
  map "$host$segment" $by_path {
    default "";
${routes
  .filter(({ tenant }) => tenant === undefined)
  .map(byPath)
  .join('')}  }
  map "$host $http_x_tenant" $service {
    default $by_path;
${routes
  .filter(({ tenant }) => tenant !== undefined)
  .map(byTenant)
  .join('')}  }
  server {
    listen ${address}:${ports.http} default_server;
    listen ${address}:${ports.https} ssl http2 default_server;
    location / {
      if ($service = "") { return 404; }
      proxy_pass http://$service;
    }
  }
  server {
    listen ${address}:${ports.https} ssl http2;
    server_name ${grpc.hostname};
    location = /${grpc.service}/${grpc.method} { grpc_pass grpc://grpc; }
    location / { return 404; }
  }
}
`

const byPath = ({ hostname, path, service }: BenchRoute): string => `    "${hostname}${path}" api-${service};\n`
const byTenant = ({ hostname, tenant, service }: BenchRoute): string => `    "${hostname} ${tenant}" api-${service};\n`

const upstream = (name: string, endpoint: string): string =>
  `  upstream ${name} { server ${endpoint}; keepalive 128; keepalive_requests 1000000000; keepalive_timeout 1h; }\n`

const stream = (address: string): string => `
stream {
  access_log off;
  map $ssl_preread_server_name $target { ${streamHost} ${origin.stream}; }
  server {
    listen ${address}:${ports.passthrough};
    ssl_preread on;
    proxy_pass $target;
  }
}`
