/** The characters that a text is made of, as code points: those that people use first. */
export interface Alphabet {
  readonly name: string
  readonly preferred: readonly number[]
  /** Whether another one may be used where a pattern wants it. */
  readonly allows: (code: number) => boolean
  /** Whether a text may begin or end with it. */
  readonly edge: (code: number) => boolean
}

const codes = (characters: string): number[] => [...characters].map((character) => character.codePointAt(0) ?? 0)

const ordinary = 'xabcdefghijklmnopqrstuvwyz0123456789-_.~/ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const any = (): boolean => true

/** RFC 3986 section 3.3, then what clients send raw although they should not. */
export const pathAlphabet: Alphabet = {
  name: 'path',
  preferred: codes(`${ordinary}:@!$&'()*+,;=[]|{}^"<>\`\\%`),
  allows: () => false,
  edge: any,
}

/** RFC 9110 section 5.5: visible characters, with blanks between them. */
export const headerAlphabet: Alphabet = {
  name: 'header',
  preferred: codes(`${ordinary}:@!$&'()*+,;=?#[]|{}^"<>\`\\% \t`),
  allows: (code) => code >= 0x80 && code <= 0xff,
  edge: (code) => code !== 0x20 && code !== 0x09,
}

/** Whatever percent-encoding can say. */
export const queryAlphabet: Alphabet = {
  name: 'query',
  preferred: codes(`${ordinary}:@!$&'()*+,;=?#[]|{}^"<>\`\\% \t\n\r`),
  allows: (code) => code < 0xd800 || code > 0xdfff,
  edge: any,
}
