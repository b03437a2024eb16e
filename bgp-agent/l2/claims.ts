import { type Claim, type ClaimsPage, claimLength, maxPage, maxPages } from './heartbeat.ts'

/** Claims by address, in pages that each fit into a heartbeat; at least one. Those beyond `maxPages` are left out. */
export function pagesOf(claims: Iterable<Claim>): readonly (readonly Claim[])[] {
  let last: Claim[] = []
  const pages = [last]
  let length = 0
  for (const claim of claims) {
    length += claimLength(claim)
    if (length > maxPage) {
      if (pages.length === maxPages) break
      last = []
      pages.push(last)
      length = claimLength(claim)
    }
    last.push(claim)
  }
  return pages
}

export interface HeardClaim extends Claim {
  /** Since when the peer may answer for the address, by the clock of who has heard it. */
  readonly since: number
}

/** What a peer may answer for, as far as it has been heard. */
export interface HeardClaims {
  /** Of the last whole; undefined: there has been none. */
  readonly version: number | undefined
  readonly whole: ReadonlyMap<string, HeardClaim>
  /** Of the one that is coming. */
  readonly coming: { readonly version: number; readonly pages: ReadonlyMap<number, readonly Claim[]> } | undefined
}

export const noClaims: HeardClaims = { version: undefined, whole: new Map(), coming: undefined }

/** With one page more. Until the last page is there, what was heard before counts. `since`: of a node's first claims. */
export function heardClaims(before: HeardClaims, page: ClaimsPage, at: number, since: number): HeardClaims {
  const { version, whole, coming } = before
  if (version !== undefined && page.version <= version) return before
  if (coming !== undefined && page.version < coming.version) return before
  const known = coming?.version === page.version ? coming.pages : new Map<number, readonly Claim[]>()
  if (known.has(page.page)) return before
  const pages = new Map(known).set(page.page, page.claims)
  if (pages.size < page.pages) return { ...before, coming: { version: page.version, pages } }
  const first = version === undefined ? since : at
  const claims = [...pages.values()].flat().map((claim): [string, HeardClaim] => {
    const earlier = whole.get(claim.address)
    return [claim.address, { ...claim, since: earlier?.since ?? first }]
  })
  return { version: page.version, whole: new Map(claims), coming: undefined }
}
