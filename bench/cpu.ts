import { readdir, readFile } from 'node:fs/promises'

/** CPU time that a process has taken so far, in seconds, all its threads together. */
export async function cpuOf(pid: number): Promise<number> {
  let nanoseconds = 0
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const schedstat = await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8').catch(() => '0')
    nanoseconds += Number(schedstat.split(' ')[0])
  }
  return nanoseconds / 1e9
}
