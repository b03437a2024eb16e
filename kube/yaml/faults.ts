import { type Document, type ParsedNode, visit, type YAMLParseError } from 'yaml'

/** What is wrong with a document's text, at an offset into it. */
export interface TextFault {
  readonly offset: number
  readonly message: string
}

/** Where the quoted text begins that reaches to `end`. */
function openQuote(document: Document<ParsedNode>, end: number): number | undefined {
  let found: number | undefined
  visit(document, {
    Scalar(_, { type, range }) {
      if ((type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') && range && range[1] >= end) found = range[0]
    },
  })
  return found
}

function meaning({ code, message, pos: [offset] }: YAMLParseError, text: string): string {
  const rest = text.slice(offset, offset + 2)
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab indents this line; use spaces'
    case 'BAD_INDENT':
      return message.startsWith('Flow')
        ? 'a "[" or "{" before this line is not closed; close it, or quote the text that begins with it'
        : 'this line is indented neither as the one above nor as a field above that; line it up'
    case 'BLOCK_AS_IMPLICIT_KEY':
      return message.startsWith('Nested')
        ? 'a second "key: value" begins within a value; quote the value, or check the indentation of this line and the one above'
        : 'this list item is indented neither as the one above nor as a field; line it up'
    case 'MULTILINE_IMPLICIT_KEY':
      return 'YAML reads this line and the next as one; check the indentation of the next, and that a space follows ":" and "-"'
    case 'BLOCK_IN_FLOW':
      return 'YAML cannot read what this "{" or "[" holds; quote the text, or render the template first if it is one'
    case 'BAD_SCALAR_START':
      return `a value cannot begin with ${rest[0]}; put it in quotes`
    case 'BAD_DQ_ESCAPE':
      return `${rest} means nothing in double quotes; write a \\ twice, or use single quotes`
    case 'BAD_ALIAS':
      return 'YAML reads a value that begins with "*" or "&" as a reference; put it in quotes'
    case 'KEY_OVER_1024_CHARS':
      return 'a key is longer than 1024 characters'
    case 'RESOURCE_EXHAUSTION':
      return 'the document is nested too deeply'
    case 'MISSING_CHAR':
      if (message.startsWith('Missing closing')) return 'this quote is not closed; close it'
      return message.startsWith('Implicit map keys')
        ? 'this line has no ":" after its key; write "key: value"'
        : 'a ":" or "," is missing here, or a quote'
    case 'UNEXPECTED_TOKEN':
      if (rest === '- ') return 'a list cannot begin on the line of its key; begin it on the next line'
      return message.includes('at node end')
        ? 'text follows a value that has ended; put the whole value in one pair of quotes'
        : `${JSON.stringify(rest.trim())} has no meaning here; put the value in quotes`
    default:
      return message
  }
}

/** The first error of a document; what follows from it is left out. */
export function firstFault(document: Document<ParsedNode>, text: string): TextFault | undefined {
  let first: YAMLParseError | undefined
  for (const error of document.errors) {
    if (first === undefined || error.pos[0] < first.pos[0]) first = error
  }
  if (first === undefined) return undefined
  const offset = first.message.startsWith('Missing closing') ? openQuote(document, first.pos[0]) : undefined
  return { offset: offset ?? first.pos[0], message: meaning(first, text) }
}
