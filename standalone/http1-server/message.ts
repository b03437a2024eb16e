import { type IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { isContinue } from '../front-end/admission.ts'
import { Http1Fields } from './fields.ts'
import type { Http1Turn } from './turn.ts'

/** A request of node:http, with what its listeners need to find their way back. */
export class Http1Message extends IncomingMessage {
  turn: Http1Turn | undefined
  #fields: Http1Fields | undefined

  get fields(): Http1Fields {
    this.#fields ??= new Http1Fields(this.rawHeaders)
    return this.#fields
  }

  /** HTTP/1.0 knows no Expect, and a server ignores it there. */
  get expectsContinue(): boolean {
    return isContinue(this.fields.expect)
  }
}

/** What node:http itself looks at, instead of an object of all headers: whether Expect is there, and what tells of a body. */
Object.defineProperty(Http1Message.prototype, 'headers', {
  get(this: Http1Message): IncomingHttpHeaders {
    const { codings, expect, length } = this.fields
    if (expect !== undefined) return { ...withBody, expect }
    return codings > 0 || length !== undefined ? withBody : withoutBody
  },
})

const withBody: IncomingHttpHeaders = { 'content-length': '' }
const withoutBody: IncomingHttpHeaders = {}

export class Http1Answer extends ServerResponse<Http1Message> {
  turn: Http1Turn | undefined
}
