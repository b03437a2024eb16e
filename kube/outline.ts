import * as z from 'zod'

/** Which fields a schema knows, without what it asks of their values. */
export interface Outline {
  /** undefined: no object with fixed fields. */
  readonly fields: ReadonlyMap<string, Outline> | undefined
  /** Fields that the API has and Landfall does not read: `.meta({ unread: [...] })` on the schema. */
  readonly unread: ReadonlySet<string>
  /** Of a list's items or a map's values. */
  readonly items: Outline | undefined
  /** The value may be null. */
  readonly nullable: boolean
}

const leaf: Outline = { fields: undefined, unread: new Set(), items: undefined, nullable: false }

function unreadOf(schema: z.core.$ZodType): ReadonlySet<string> {
  const names = z.globalRegistry.get(schema)?.unread
  return new Set(Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [])
}

export function outline(schema: z.core.$ZodType): Outline {
  if (schema instanceof z.ZodObject) {
    const fields = Object.entries<z.core.$ZodType>(schema.shape).map(([name, field]) => [name, outline(field)] as const)
    return { ...leaf, fields: new Map(fields), unread: unreadOf(schema) }
  }
  if (schema instanceof z.ZodArray) return { ...leaf, items: outline(schema.element) }
  if (schema instanceof z.ZodRecord) return { ...leaf, items: outline(schema.valueType) }
  if (schema instanceof z.ZodNullable) return { ...outline(schema.unwrap()), nullable: true }
  if (schema instanceof z.ZodPipe) return outline(schema.in)
  // The versions of one kind, which have the same fields.
  if (schema instanceof z.ZodDiscriminatedUnion) return outline(schema.options[0] ?? z.unknown())
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return outline(schema.unwrap())
  }
  return leaf
}
