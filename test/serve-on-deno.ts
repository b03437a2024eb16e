import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from './serve-rig.ts'

const root = join(import.meta.dirname, '..')

/** The program itself: until the scripts of its package have run, there is a wrapper in its place, which no signal gets through. */
const deno = execFileSync(join(root, 'node_modules/.bin/deno'), ['eval', 'console.log(Deno.execPath())'], {
  encoding: 'utf8',
}).trim()

export const landfallOnDeno: Command = [deno, 'run', '--allow-all', join(root, 'cli/main.ts')]

/** As `serve`. */
export const serveOnDeno: Command = [...landfallOnDeno, 'serve', '-f', '{dir}', '--admin', '{admin}']
