import { once } from 'node:events'
import { watch } from 'chokidar'

/** Milliseconds without another change before something is done about the last. */
const settle = 50

export interface Following {
  /** Resolves when what is being done about a change is done. */
  close(): Promise<void>
}

/** Calls `apply` after changes of the files below `paths`, never twice at a time. What it throws goes to `failed`. */
export async function follow(
  paths: readonly string[],
  apply: () => Promise<void>,
  failed: (error: unknown) => void,
): Promise<Following> {
  let applying = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  const files = paths.filter((path) => path !== '-')
  const watcher = watch(files, { ignoreInitial: true }).on('all', () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      applying = applying.then(apply).catch(failed)
    }, settle)
  })
  if (files.length > 0) await once(watcher, 'ready')
  return {
    close: async () => {
      clearTimeout(timer)
      await watcher.close()
      await applying
    },
  }
}
