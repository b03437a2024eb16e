import { differences, type TableToPublish } from '../publish/diff.ts'
import { type PublishOptions, type PublishReport, publish } from '../publish/publish.ts'
import { type Store, StoreError } from '../publish/store.ts'
import type { Answered, Answers, RequestKey } from './answered.ts'
import type { AuditHead, PlanAnswer, Progress, PushAnswer, TableChange } from './answers.ts'
import type { Deed } from './audit.ts'
import { findingsOf } from './findings.ts'
import type { History, Version } from './history.ts'
import type { Ledger } from './ledger.ts'
import { type Proposal, propose, publishable } from './proposal.ts'
import { Refusal } from './refusal.ts'
import type { SetFile } from './set-file.ts'
import type { Statement } from './sql.ts'
import type { Turns } from './turns.ts'
import type { Union } from './union.ts'

export interface Change {
  readonly set: string
  /** Who asks, as actorOf names them. */
  readonly by: string
  /** Whether the set's version, 0 for none, is one that the change may start from. */
  readonly mayFollow: (version: number) => boolean
  readonly key: RequestKey | undefined
  /** The change may leave nothing to serve. */
  readonly allowEmpty: boolean
}

export interface Push extends Change {
  readonly files: readonly SetFile[]
}

export interface Rollback extends Change {
  /** The version before the current one where it is not given. */
  readonly to: number | undefined
}

/** How tables are published. */
export type Publishing = Pick<PublishOptions, 'grace' | 'signer' | 'validFor'>

export interface Parts {
  readonly history: History
  readonly ledger: Ledger
  readonly answers: Answers
  readonly union: Union
  readonly store: Store
  readonly turns: Turns
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly publishing: Publishing
  /** Hears how a push gets on. */
  readonly tell: (progress: Progress) => void
}

/** Makes versions of sets, and a store hold the tables of the latest versions of all of them. */
export class Publisher {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  plan({ set, files, allowEmpty }: Pick<Push, 'set' | 'files' | 'allowEmpty'>): Promise<PlanAnswer> {
    const { turns, union, store, now, publishing } = this.#parts
    return turns.run(async () => {
      await union.refresh()
      const proposal = propose(set, union.candidate(set, files), union.content(set))
      const changes = await this.#changes(proposal, allowEmpty)
      const tables = proposal.tables.map(({ encoded }) => encoded)
      const report = await publish(store, tables, { ...publishing, now, dryRun: true })
      const current = union.versions.get(set)
      return { ...this.#answer(proposal, current, changes, report), current: current?.version ?? 0 }
    })
  }

  push(push: Push): Promise<string> {
    return this.#change(push, 'push', () => Promise.resolve({ files: push.files, to: undefined }))
  }

  rollback(rollback: Rollback): Promise<string> {
    return this.#change({ ...rollback, allowEmpty: true }, 'rollback', async () => {
      const { history, union } = this.#parts
      const current = union.versions.get(rollback.set)
      if (current === undefined) throw new Refusal(404, 'no-such-set', `there is no set ${rollback.set}`)
      const to = rollback.to ?? current.version - 1
      const files = await history.files(rollback.set, to)
      if (files !== undefined) return { files, to }
      throw new Refusal(404, 'no-such-version', `the history has no version ${to} of ${rollback.set}`)
    })
  }

  /** Finishes what a process that was killed has left. Rejects with a StoreError. */
  recover(): Promise<void> {
    const { turns, union } = this.#parts
    return turns.run(async () => {
      await union.refresh()
      const open = [...union.versions.values()].find(({ state }) => state === 'publishing')
      if (open === undefined) return
      await this.#publish(publishable(union.current), open)
      await this.#finish(open, { by: 'landfall control', digest: open.digest }, () => [])
    })
  }

  /** Signs anew what has too little of its time left. Rejects with a StoreError. */
  renew(): Promise<void> {
    const { turns, union, store, now, publishing } = this.#parts
    return turns.run(async () => {
      await union.refresh()
      if (union.versions.size === 0) return
      const tables = publishable(union.current).map(({ encoded }) => encoded)
      await publish(store, tables, { ...publishing, now })
    })
  }

  /** JSON of a PushAnswer. */
  #change(
    change: Change,
    action: 'push' | 'rollback',
    filesOf: () => Promise<{ readonly files: readonly SetFile[]; readonly to: number | undefined }>,
  ): Promise<string> {
    const { turns, union, ledger, tell } = this.#parts
    const { set } = change
    return turns.run(async () => {
      tell({ set, step: 'received', version: 0 })
      try {
        await union.refresh()
        const { files, to } = await filesOf()
        return await this.#make(change, action, files, to)
      } catch (error) {
        const isRefused = error instanceof Refusal && error.reason !== 'store-failed'
        tell({ set, step: isRefused ? 'refused' : 'failed', version: 0 })
        const note = error instanceof Error ? error.message : String(error)
        await ledger.write({ ...deedOf(change), action: isRefused ? 'refused' : 'unpublished', note })
        throw error
      }
    })
  }

  async #make(
    change: Change,
    action: 'push' | 'rollback',
    files: readonly SetFile[],
    to: number | undefined,
  ): Promise<string> {
    const { union, answers, history, ledger, tell, now } = this.#parts
    const { set, by, key } = change
    const current = union.versions.get(set)
    const proposal = propose(set, union.candidate(set, files), union.content(set))
    const { content, objects } = proposal
    const { digest } = content
    const request = `${action} ${digest} ${to ?? ''}`
    const before = key && (await answers.find(key))
    if (before !== undefined) {
      const answer = earlierAnswer(before, request, current)
      if (answer !== undefined) return answer
    } else if (!change.mayFollow(current?.version ?? 0)) {
      const detail = current === undefined ? `there is no set ${set}` : `the set is at version ${current.version}`
      throw new Refusal(412, 'other-version', detail, { version: current?.version ?? 0 })
    }
    const changes = await this.#changes(proposal, change.allowEmpty)
    tell({ set, step: 'compiled', version: 0 })

    let version = current
    if (version === undefined || version.digest !== digest) {
      const number = (current?.version ?? 0) + 1
      version = {
        ...{ set, version: number, state: 'publishing', digest, objects, by, at: now() },
        ...{ publishedAt: undefined, rollbackTo: to },
      }
      await history.keep(content)
      const keep = key === undefined ? [] : answers.keep(key, set, { request, version: number, answer: undefined })
      const note = to === undefined ? '' : `to version ${to}`
      await ledger.write({ ...deedOf(change), action, version: number, digest, note }, [
        history.begin(version, content),
        ...keep,
      ])
    }
    union.take(proposal.candidate, version, content)
    tell({ set, step: 'kept', version: version.version })
    const made = version
    const report = await this.#publish(proposal.tables, made)
    const answer = this.#answer(proposal, current, changes, report)
    const json = (audit: AuditHead): string =>
      JSON.stringify({
        ...{ ...answer, version: made.version, audit },
        ...(made.rollbackTo === undefined ? {} : { rollbackTo: made.rollbackTo }),
      } satisfies PushAnswer)
    const head = await this.#finish(made, { by, digest }, (audit) =>
      key === undefined ? [] : answers.keep(key, set, { request, version: made.version, answer: json(audit) }),
    )
    await history.tidy(set, made.version)
    return json(head)
  }

  /** What would change in the store. Refuses to let everything go that is served, unless that is meant. */
  async #changes({ set, tables, objects }: Proposal, allowEmpty: boolean): Promise<readonly TableChange[]> {
    const { store, union } = this.#parts
    const changes = await differences(store, tables)
    const isEmptied = objects === 0 && (union.versions.get(set)?.objects ?? 1) > 0
    if (!allowEmpty && (isEmptied || (tables.length === 0 && changes.length > 0))) {
      const detail = isEmptied
        ? 'the manifests have no object that Landfall reads'
        : 'no Gateway would be served any more'
      throw new Refusal(422, 'empty', `${detail}; allowEmpty=true if that is meant`)
    }
    return changes
  }

  async #publish(tables: readonly TableToPublish[], { set, version }: Version): Promise<PublishReport> {
    const { store, now, publishing, tell } = this.#parts
    const onProgress = (written: number, total: number): void => tell({ set, step: 'writing', version, written, total })
    try {
      const encoded = tables.map(({ encoded }) => encoded)
      return await publish(store, encoded, { ...publishing, now, onProgress })
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      const detail = `version ${version} is kept but not in effect yet: ${error.message}; the next push finishes it, or this one again`
      throw new Refusal(502, 'store-failed', detail, { version })
    }
  }

  async #finish(
    { set, version }: Version,
    { by, digest }: { readonly by: string; readonly digest: string },
    more: (head: AuditHead) => readonly Statement[],
  ): Promise<AuditHead> {
    const { union, history, ledger, now, tell } = this.#parts
    const at = now()
    const open = [...union.versions.values()].filter(({ state }) => state === 'publishing')
    const others = open.filter((each) => each.set !== set).map((each) => `${each.set} ${each.version}`)
    const note = others.length === 0 ? '' : `with ${others.join(', ')}`
    const deed: Deed = { actor: by, action: 'published', set, version, digest, note }
    const head = await ledger.write(deed, history.published(open, at), more)
    union.published(at)
    tell({ set, step: 'published', version })
    return head
  }

  #answer(
    { set, objects, candidate, content }: Proposal,
    current: Version | undefined,
    changes: readonly TableChange[],
    { written, bytes, collected }: PublishReport,
  ): Omit<PlanAnswer, 'current'> {
    const { findings, leftOut } = findingsOf(candidate, set)
    return {
      set,
      objects,
      unchanged: current?.digest === content.digest,
      changes,
      findings,
      findingsLeftOut: leftOut,
      written: { entries: written.length, bytes, collected: collected.length },
    }
  }
}

const deedOf = ({ by, set }: Change): Deed => ({ actor: by, action: 'push', set, version: 0, digest: '', note: '' })

/** The answer that the same request had; undefined when it is to be finished. */
function earlierAnswer(before: Answered, request: string, current: Version | undefined): string | undefined {
  if (before.request !== request) {
    throw new Refusal(422, 'key-reused', 'this Idempotency-Key came with another request before')
  }
  if (before.answer !== undefined || current?.version === before.version) return before.answer
  const detail = `this request made version ${before.version}, and another push came before it was answered`
  throw new Refusal(409, 'overtaken', detail, { version: current?.version ?? 0 })
}
