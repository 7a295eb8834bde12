import type { z } from 'zod'

/** True when the value is, as it is, what the schema makes of it. */
type Check = (value: unknown) => boolean

/** `null`: a schema that is not understood here. Kept for as long as the schema itself. */
const known = new WeakMap<z.core.$ZodType, Check | null>()

/**
 * Whether `safeParse` would take the value and change nothing of it that the schema names: asked of a long answer first,
 * it saves the copy that zod makes of every object (members that the schema does not name stay in the value). False also
 * where that is not known, as for schemas that transform or refine: then ask zod, which says what is wrong as well.
 */
export function fits<T extends z.ZodType>(schema: T, value: unknown): value is z.output<T> {
  return checkOf(schema)?.(value) ?? false
}

function checkOf(schema: z.core.$ZodType): Check | null {
  let check = known.get(schema)
  if (check === undefined) {
    // A schema that holds itself finds this, and is not understood.
    known.set(schema, null)
    check = createCheck(schema as z.core.$ZodTypes)
    known.set(schema, check)
  }
  return check
}

function definitionOf<S extends { readonly _zod: { readonly def: unknown } }>(
  described: S,
): S['_zod']['def'] {
  // oxlint-disable-next-line no-underscore-dangle -- where zod has its definitions for libraries
  return described._zod.def
}

/** Kinds whose checks are read here. */
const withChecks: ReadonlySet<string> = new Set(['string', 'number', 'array'])

function createCheck(schema: z.core.$ZodTypes): Check | null {
  const def = definitionOf(schema)
  if (!withChecks.has(def.type) && def.checks?.length) return null
  switch (def.type) {
    case 'string':
      return createTextCheck(def)
    case 'number':
      return createNumberCheck(def)
    case 'boolean':
      return (value) => typeof value === 'boolean'
    case 'enum': {
      const entries: ReadonlySet<unknown> = new Set(Object.values(def.entries))
      return (value) => entries.has(value)
    }
    case 'literal': {
      const values: readonly unknown[] = def.values
      return (value) => values.includes(value)
    }
    case 'nullable': {
      const inner = checkOf(def.innerType)
      return inner && ((value) => value === null || inner(value))
    }
    case 'optional': {
      const inner = checkOf(def.innerType)
      return inner && ((value) => value === undefined || inner(value))
    }
    case 'array': {
      const element = checkOf(def.element)
      const longest = longestOf(def.checks)
      if (element === null || longest === null) return null
      return (value) => Array.isArray(value) && value.length <= longest && value.every(element)
    }
    case 'union': {
      // One that is not understood is left to zod.
      const options = def.options.map(checkOf).filter((check) => check !== null)
      return (value) => options.some((check) => check(value))
    }
    case 'unknown':
      return () => true
    case 'object':
      return createObjectCheck(def)
    default:
      return null
  }
}

/** Of a text or a list; null where more is asked than a length. */
function longestOf(checks: readonly unknown[] = []): number | null {
  let longest = Number.POSITIVE_INFINITY
  for (const check of checks) {
    const one = definitionOf(check as z.core.$ZodChecks)
    if (one.check !== 'max_length') return null
    longest = Math.min(longest, one.maximum)
  }
  return longest
}

function createTextCheck({ checks, ...def }: z.core.$ZodStringDef): Check | null {
  const longest = longestOf(checks)
  if (longest === null || 'format' in def || def.coerce === true) return null
  return (value) => typeof value === 'string' && value.length <= longest
}

function createNumberCheck({ checks = [], ...def }: z.core.$ZodNumberDef): Check | null {
  let [least, most] = [-Number.MAX_VALUE, Number.MAX_VALUE]
  let isWhole = false
  for (const check of checks) {
    const one = definitionOf(check as z.core.$ZodChecks)
    if (one.check === 'number_format' && one.format === 'safeint') isWhole = true
    else if (one.check === 'greater_than' && one.inclusive && typeof one.value === 'number')
      least = Math.max(least, one.value)
    else if (one.check === 'less_than' && one.inclusive && typeof one.value === 'number')
      most = Math.min(most, one.value)
    else return null
  }
  // `z.int()` is its own check.
  if ('format' in def && def.format !== 'safeint') return null
  isWhole ||= 'format' in def
  if (def.coerce === true) return null
  return (value) =>
    typeof value === 'number' && value >= least && value <= most && (!isWhole || Number.isSafeInteger(value))
}

function createObjectCheck({ shape, catchall }: z.core.$ZodObjectDef): Check | null {
  // Strict and loose objects say what becomes of members that they do not name.
  if (catchall !== undefined) return null
  const names: string[] = []
  const members: Check[] = []
  for (const [name, schema] of Object.entries(shape)) {
    const check = checkOf(schema)
    if (check === null) return null
    names.push(name)
    members.push(check)
  }
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const object = value as Readonly<Record<string, unknown>>
    return members.every((check, at) => check(object[names[at] ?? '']))
  }
}
