import { IncomingMessage, ServerResponse } from 'node:http'
import { Http1Fields } from './http1-server-fields.ts'
import type { Http1Turn } from './http1-server-turn.ts'

/** A request of node:http, with what its listeners need to find their way back. */
export class Http1Message extends IncomingMessage {
  turn: Http1Turn | undefined
  #fields: Http1Fields | undefined

  get fields(): Http1Fields {
    this.#fields ??= new Http1Fields(this.rawHeaders)
    return this.#fields
  }

  /** RFC 9110 section 10.1.1. HTTP/1.0 knows no Expect, and a server ignores it there. */
  get expectsContinue(): boolean {
    return this.fields.expect?.toLowerCase() === '100-continue'
  }
}

export class Http1Answer extends ServerResponse<Http1Message> {
  turn: Http1Turn | undefined
}
