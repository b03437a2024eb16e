import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The Worker as one ES module: what `wrangler deploy` would upload. Throws when it does not build: that is our own bug. */
export async function bundleWorker(): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('../worker/index.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    target: 'es2024',
    external: ['cloudflare:*'],
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['module', 'main'],
    write: false,
    logLevel: 'silent',
  })
  const [file] = result.outputFiles
  if (file === undefined) throw new Error('esbuild gave no output')
  return file.text
}
