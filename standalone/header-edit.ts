import type { HeaderEdit } from '../engine/decision.ts'
import type { RawHeaders } from './raw-headers.ts'

/** A HeaderEdit made ready for header lines. */
interface LineEdit {
  /** Names, in lower case, of the lines that go. */
  readonly drop: ReadonlySet<string>
  /** Lines that come behind the rest. */
  readonly lines: RawHeaders
}

/** An edit belongs to a rule and serves all its requests; that of a CORS answer is made anew for each. */
const ready = new WeakMap<HeaderEdit, LineEdit>()

function lineEdit(edit: HeaderEdit): LineEdit {
  let lines = ready.get(edit)
  if (lines === undefined) {
    lines = {
      drop: new Set([...edit.remove, ...edit.set.map(([name]) => name)].map((name) => name.toLowerCase())),
      lines: [...edit.set, ...edit.add].flat(),
    }
    ready.set(edit, lines)
  }
  return lines
}

export const isEmpty = ({ remove, set, add }: HeaderEdit): boolean =>
  remove.length === 0 && set.length === 0 && add.length === 0

/** The lines without those in `without` (lower case), then with `lines` behind them, and at last as the route's edit says. */
export function editedLines(
  headers: RawHeaders,
  without: ReadonlySet<string>,
  lines: RawHeaders,
  edit: HeaderEdit,
): RawHeaders {
  const own = isEmpty(edit) ? undefined : lineEdit(edit)
  const kept: string[] = []
  const keep = (all: RawHeaders, without: ReadonlySet<string> | undefined): void => {
    for (let at = 0; at + 1 < all.length; at += 2) {
      const [name = '', value = ''] = [all[at], all[at + 1]]
      const lower = name.toLowerCase()
      if (without?.has(lower) !== true && own?.drop.has(lower) !== true) kept.push(name, value)
    }
  }
  keep(headers, without)
  keep(lines, undefined)
  if (own !== undefined) kept.push(...own.lines)
  return kept
}
