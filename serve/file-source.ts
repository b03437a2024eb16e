import type { Site } from '../control/compile/compile.ts'
import { Project, type Reading } from '../control/project.ts'
import { feedOf } from './feed.ts'
import { type Following, follow } from './follow.ts'
import type { Source } from './source.ts'

/** Tables from manifests, compiled again whenever a file changes. */
export function fileSource(paths: readonly string[], site: Site, failed: (error: unknown) => void): Source {
  const project = new Project(paths, site)
  let following: Following | undefined
  let last: Reading | undefined
  return {
    follow: async (take) => {
      const apply = async (changed?: ReadonlySet<string>): Promise<void> => {
        const reading = await project.read(changed)
        if (reading === last) return
        const { feed, faults } = feedOf(reading)
        await take({ feed, faults, reading })
        last = reading
      }
      following = await follow(paths, apply, failed)
    },
    close: async () => following?.close(),
  }
}
