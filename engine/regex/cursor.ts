/** The pattern is not one that is taken; `at` is where, in UTF-16 code units from 0. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/** A place in a pattern, and the ways to move on from it. */
export class Cursor {
  readonly text: string
  /** In UTF-16 code units from 0. */
  at = 0

  constructor(text: string) {
    this.text = text
  }

  get ended(): boolean {
    return this.at >= this.text.length
  }

  sees(text: string): boolean {
    return this.text.startsWith(text, this.at)
  }

  take(text: string): boolean {
    const sees = this.sees(text)
    if (sees) this.at += text.length
    return sees
  }

  /** The longest run of these characters, which may be empty. */
  run(characters: string): string {
    const start = this.at
    while (!this.ended && characters.includes(this.text[this.at] ?? '')) this.at++
    return this.text.slice(start, this.at)
  }

  /** The code point at the cursor, which moves past it. */
  character(): number {
    const code = this.text.codePointAt(this.at) ?? 0
    this.at += code > 0xffff ? 2 : 1
    return code
  }
}

// For Cursor.run.
export const DIGITS = '0123456789'
export const OCTAL_DIGITS = '01234567'
export const HEX_DIGITS = '0123456789abcdefABCDEF'
export const NAME_CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'
