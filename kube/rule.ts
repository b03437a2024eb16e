import type * as z from 'zod'

/** Steps from a value down to one of its fields. */
export type FieldPath = readonly (string | number)[]

/** Says what is wrong with the field at `path` below the value that is being checked. */
export type Report = (path: FieldPath, message: string) => void

/** A check over a whole value, for `schema.check(...)`. It runs once the value has the right shape. */
export const rule =
  <T>(find: (value: T, report: Report) => void) =>
  (payload: z.core.ParsePayload<T>): void =>
    find(payload.value, (path, message) => {
      payload.issues.push({ code: 'custom', message, path: [...path], input: payload.value, continue: true })
    })

/** x-kubernetes-list-type "map" and "set": no two items share a key. `key` gives undefined for an item without one. */
export const unique = <T>(key: (item: T) => string | number | undefined, field: FieldPath = []) =>
  rule<T[]>((items, report) => {
    const first = new Map<string | number, number>()
    items.forEach((item, index) => {
      const value = key(item)
      if (value === undefined) return
      const earlier = first.get(value)
      if (earlier === undefined) first.set(value, index)
      else
        report([index, ...field], `${JSON.stringify(value)} is already in item [${earlier}] of this list; remove one`)
    })
  })
