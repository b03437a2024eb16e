import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { program } from '../cli/program.ts'

// The scripts of deploy/ci run in a shell, with stand-ins for all that they call. What they ask of landfall is then put before its own
// command line.

/** https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax */
const action = z.strictObject({
  name: z.string(),
  description: z.string(),
  inputs: z.record(
    z.string(),
    z.strictObject({ description: z.string(), required: z.boolean().optional(), default: z.string().optional() }),
  ),
  outputs: z.record(z.string(), z.strictObject({ description: z.string(), value: z.string() })),
  runs: z.strictObject({
    using: z.literal('composite'),
    steps: z.array(
      z.strictObject({
        name: z.string(),
        id: z.string().optional(),
        if: z.string().optional(),
        shell: z.literal('bash'),
        env: z.record(z.string(), z.string()),
        run: z.string(),
      }),
    ),
  }),
})

const lines = z.array(z.string())

/** https://docs.gitlab.com/ci/yaml/ */
const job = z.strictObject({
  extends: z.literal('.landfall'),
  stage: z.enum(['test', 'deploy']),
  resource_group: z.string().optional(),
  variables: z.record(z.string(), z.string()).optional(),
  script: lines,
  artifacts: z.strictObject({ paths: lines }).optional(),
  // Without rules a job would be in no pipeline of a merge request.
  rules: z
    .array(
      z.strictObject({ if: z.string(), when: z.literal('manual').optional(), allow_failure: z.boolean().optional() }),
    )
    .min(1),
})
const base = z.strictObject({
  image: z.string(),
  cache: z.strictObject({ key: z.string(), paths: lines }),
  before_script: lines,
})
const template = z
  .object({ variables: z.record(z.string(), z.string()), '.landfall': base })
  .catchall(z.union([job, z.unknown()]))

const readTemplate = async (file: string): Promise<unknown> => parse(await readFile(`deploy/ci/${file}`, 'utf8'))

let directory = ''

/** Writes down what it is called with, and does what the test says. */
const standIn = `#!/usr/bin/env bash
{ printf '%s\\0' "$(basename "$0")" "$@"; printf '\\n'; } >> "$CALLS"
case "$(basename "$0") $1" in
  'landfall diff') echo '### Landfall: 1 rule changed'; exit "\${DIFF_EXIT:-0}" ;;
  'landfall push') echo '{"version": 7, "changes": [{"gateway": "shop/web", "routes": {"added": ["HTTPRoute shop/a"], "changed": [], "removed": []}}]}' ;;
  'gh api') case "$*" in *--paginate*) printf '%s' "$COMMENTS" ;; esac ;;
  'curl --fail') cat > "$CALLS.curl" ;;
esac
`

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-templates-'))
  await mkdir(join(directory, 'cli'))
  for (const name of ['landfall', 'git', 'gh', 'npm', 'curl']) {
    await writeFile(join(directory, 'cli', name), standIn)
    await chmod(join(directory, 'cli', name), 0o755)
  }
})

afterAll(() => rm(directory, { recursive: true }))

interface Ran {
  readonly code: number | null
  /** What was called, each with its arguments. */
  readonly calls: readonly (readonly [program: string, ...args: string[]])[]
  readonly stderr: string
}

/** `shell`: as the runner calls it. */
async function run(script: string, env: Readonly<Record<string, string>>, shell: readonly string[]): Promise<Ran> {
  const calls = join(directory, 'calls')
  await writeFile(calls, '')
  const [program = 'bash', ...args] = shell
  const { status, stderr } = spawnSync(program, [...args, '-c', script], {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...{ PATH: `${join(directory, 'cli')}:${process.env.PATH}`, CALLS: calls, RUNNER_TEMP: directory },
      ...{ GITHUB_OUTPUT: join(directory, 'output'), GITHUB_STEP_SUMMARY: join(directory, 'summary') },
      ...{ GITHUB_REPOSITORY: 'shop/site', COMMENTS: '' },
      ...env,
    },
  })
  const called = (await readFile(calls, 'utf8')).split('\n').filter((line) => line !== '')
  return {
    code: status,
    calls: called.map((line) => {
      const [name = '', ...rest] = line.split('\0').slice(0, -1)
      return [name, ...rest]
    }),
    stderr,
  }
}

/** Takes a command line as `landfall` does, up to where it would do something. */
async function accept(args: readonly string[]): Promise<string> {
  let taken = ''
  const arm = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => {} })
    command.action(() => {
      taken = command.name()
    })
    for (const each of command.commands) arm(each)
  }
  const landfall = await program()
  arm(landfall)
  await landfall.parseAsync(args, { from: 'user' })
  return taken
}

test('the command line that the templates are held against refuses what it does not know', async () => {
  await expect(accept(['push', '-f', 'manifests/'])).rejects.toThrow("missing required argument 'set'")
  await expect(accept(['diff', 'main', '--markdown'])).rejects.toThrow("unknown option '--markdown'")
  await expect(accept(['test', '-f', 'manifests/'])).rejects.toThrow("required option '-t, --tests")
})

const inputs: Readonly<Record<string, string>> = {
  ...{ set: 'shop', manifests: 'manifests/ more/routes.yaml', tests: 'tests/a.yaml tests/b.yaml', base: 'abc123' },
  ...{ service: 'https://control.example.com', token: 'secret', push: 'true' },
}

/** The steps of the Action, each with its environment as a runner would set it. */
async function steps(given: Readonly<Record<string, string>>) {
  const { runs } = action.parse(await readTemplate('action.yml'))
  const values: Readonly<Record<string, string>> = {
    ...Object.fromEntries(
      Object.entries({ ...given, landfall: directory }).map(([key, value]) => [`inputs.${key}`, value]),
    ),
    ...{ 'github.token': 'ghs_1', 'github.event.pull_request.number': '12' },
  }
  const filled = (text: string): string =>
    text.replace(/\$\{\{ ([\w.]+) \}\}/g, (_, name: string) => {
      const value = values[name]
      if (value === undefined) throw new Error(`there is no ${name}`)
      return value
    })
  return runs.steps.map(({ name, run, env }) => ({
    name,
    run,
    env: Object.fromEntries(Object.entries(env).map(([key, text]) => [key, filled(text)])),
  }))
}

/** https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax: jobs.<job_id>.steps[*].shell */
const githubShell = ['bash', '--noprofile', '--norc', '-eo', 'pipefail']

/** All that the Action calls, step by step. */
async function runAction(given: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  for (const file of ['output', 'summary']) await writeFile(join(directory, file), '')
  const ran = new Map<string, Ran>()
  for (const step of await steps(given)) ran.set(step.name, await run(step.run, { ...step.env, ...env }, githubShell))
  return ran
}

const landfallCalls = (ran: Iterable<Ran>): readonly (readonly string[])[] =>
  [...ran].flatMap(({ calls }) => calls.filter(([name]) => name === 'landfall').map(([, ...args]) => args))

test.for(['true', 'false'])('the GitHub Action asks landfall for what it takes, with push: %s', async (push) => {
  const ran = await runAction({ ...inputs, push })
  for (const [name, { code, stderr }] of ran) expect([name, code, stderr]).toEqual([name, 0, ''])
  const calls = landfallCalls(ran.values())
  const taken = []
  for (const args of calls) taken.push(await accept(args))
  expect(taken).toEqual(['validate', 'test', 'diff', 'push'])
  expect(calls[1]).toEqual(['test', '-f', 'manifests/', 'more/routes.yaml', '-t', 'tests/a.yaml', 'tests/b.yaml'])
  expect(calls.at(-1)?.includes('--dry-run')).toBe(push === 'false')
  expect(await readFile(join(directory, 'output'), 'utf8')).toBe(
    `differs=false\n${push === 'true' ? 'version=7\n' : ''}`,
  )
  expect(await readFile(join(directory, 'summary'), 'utf8')).toMatch(
    /1 rule changed\n[\s\S]*- added `HTTPRoute shop\/a`/,
  )
})

test('a difference is no failure of the GitHub Action, and what cannot be compared is', async () => {
  expect((await runAction(inputs, { DIFF_EXIT: '1' })).get('Diff')?.code).toBe(0)
  expect(await readFile(join(directory, 'output'), 'utf8')).toMatch(/^differs=true$/m)
  expect((await runAction(inputs, { DIFF_EXIT: '2' })).get('Diff')?.code).toBe(2)
})

test('the GitHub Action writes one comment, and after that writes it anew', async () => {
  const posted = (await runAction(inputs)).get('Comment')
  expect(posted?.calls.at(-1)).toEqual(
    expect.arrayContaining(['repos/shop/site/issues/12/comments', `body=@${directory}/landfall-diff.md`]),
  )
  const patched = (await runAction(inputs, { COMMENTS: '99\n100' })).get('Comment')
  expect(patched?.calls.at(-1)).toEqual(expect.arrayContaining(['PATCH', 'repos/shop/site/issues/comments/99']))
})

/** What a job of GitLab's does, with the variables that a runner would have. */
async function runJob(name: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const all = template.parse(await readTemplate('gitlab.yml'))
  const { script, variables } = job.parse(all[name])
  const values = { ...all.variables, CI_PROJECT_NAME: 'shop', LANDFALL_REPOSITORY: 'https://example.com/landfall.git' }
  const told = { ...values, LANDFALL_SET: 'shop', ...variables, ...env }
  // A runner writes the commands of a job one behind the other into one script.
  return run([...all['.landfall'].before_script, ...script].join('\n'), told, ['bash', '-eo', 'pipefail'])
}

const mergeRequest = {
  ...{ CI_MERGE_REQUEST_DIFF_BASE_SHA: 'abc123', CI_MERGE_REQUEST_IID: '3', CI_PROJECT_ID: '5' },
  ...{ CI_API_V4_URL: 'https://gitlab.example.com/api/v4', LANDFALL_TESTS: 'tests/a.yaml tests/b.yaml' },
}

test('the jobs of the GitLab template ask landfall for what it takes', async () => {
  const all = template.parse(await readTemplate('gitlab.yml'))
  const jobs = Object.keys(all).filter((name) => name !== 'variables' && name !== '.landfall')
  expect(jobs).toEqual(['landfall-test', 'landfall-diff', 'landfall-plan', 'landfall-push', 'landfall-rollback'])
  const taken = []
  for (const name of jobs) {
    const ran = await runJob(name, mergeRequest)
    expect([name, ran.code, ran.stderr]).toEqual([name, 0, ''])
    for (const args of landfallCalls([ran])) taken.push(await accept(args))
  }
  expect(taken).toEqual(['validate', 'test', 'diff', 'push', 'push', 'rollback'])
})

test('the job that compares does not fail for a difference, and tells the merge request where it may', async () => {
  expect((await runJob('landfall-diff', { ...mergeRequest, DIFF_EXIT: '2' })).code).not.toBe(0)
  const { code, calls } = await runJob('landfall-diff', {
    ...{ ...mergeRequest, DIFF_EXIT: '1', LANDFALL_COMMENT_TOKEN: 'glpat-1' },
  })
  expect(code).toBe(0)
  const told = calls.find(([name]) => name === 'curl')
  expect(told?.at(-1)).toBe('https://gitlab.example.com/api/v4/projects/5/merge_requests/3/notes')
  expect(told?.join(' ')).not.toContain('glpat-1')
  expect(await readFile(join(directory, 'calls.curl'), 'utf8')).toBe('PRIVATE-TOKEN: glpat-1')
})

test('the steps of docs/ci.md are what landfall takes', async () => {
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(await readFile('docs/ci.md', 'utf8')) ?? []
  const { calls } = await run(block, {}, ['bash'])
  const taken = []
  for (const args of landfallCalls([{ code: 0, calls, stderr: '' }])) taken.push(await accept(args))
  expect(taken).toHaveLength(block.trim().split('\n').length)
})
