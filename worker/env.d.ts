/** The bindings of wrangler.toml, for tests inside workerd. */
declare namespace Cloudflare {
  interface Env {
    readonly TABLES: KVNamespace
  }
}
