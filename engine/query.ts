/** Parameters after this many are not looked at: a query is as long as its sender likes. */
const MOST_PARAMETERS = 1000

/** First value of each parameter of a query (without its "?"), percent- and plus-decoded.
 *  HTTPQueryParamMatch.name recommends the first value of a repeated parameter. */
export function queryValues(query: string): Map<string, string> {
  const values = new Map<string, string>()
  let start = 0
  for (let count = 0; start < query.length && count < MOST_PARAMETERS; count++) {
    let end = query.indexOf('&', start)
    if (end === -1) end = query.length
    if (end > start) {
      const equals = query.indexOf('=', start)
      const nameEnd = equals === -1 || equals > end ? end : equals
      const name = decoded(query.slice(start, nameEnd))
      if (!values.has(name)) values.set(name, decoded(query.slice(nameEnd + 1, end)))
    }
    start = end + 1
  }
  return values
}

function decoded(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  return spaced.includes('%') ? spaced.replace(/(?:%[0-9a-f]{2})+/gi, decodedRun) : spaced
}

/** Octets that are not UTF-8 stay as they were sent. */
function decodedRun(run: string): string {
  try {
    return decodeURIComponent(run)
  } catch {
    return run
  }
}
