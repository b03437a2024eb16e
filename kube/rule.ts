import type * as z from 'zod'

/** Steps from a value down to one of its fields. */
export type FieldPath = readonly (string | number)[]

/**
 * Says what is wrong with the field at `path` below the value that is being checked. After a `last` fault nothing else is
 * checked that counts on the value: the limits of size are such, since they bound the time of other checks.
 */
export type Report = (path: FieldPath, message: string, last?: boolean) => void

/** A check over a whole value, for `schema.check(...)`. It runs once the value has the right shape. */
export const rule =
  <T>(find: (value: T, report: Report) => void) =>
  (payload: z.core.ParsePayload<T>): void =>
    find(payload.value, (path, message, last = false) => {
      payload.issues.push({ code: 'custom', message, path: [...path], input: payload.value, continue: !last })
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
