import process from 'node:process'

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false
    const stop = (code: number): void => {
      if (stopping) process.exit(code)
      stopping = true
      resolve()
    }
    // As a shell has it: 128 and the number of the signal.
    process.on('SIGINT', () => stop(130))
    process.on('SIGTERM', () => stop(143))
  })
}
