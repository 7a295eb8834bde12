/** `{name:Type}` in a statement. */
const placeholders = /\{(\w+):([\w()]+)\}/g

/**
 * The statement with these values as literals in place of their placeholders; others stay. In one pass: what a value says is
 * never looked at again.
 */
export function withLiterals(sql: string, params: Readonly<Record<string, unknown>>): string {
  return sql.replaceAll(placeholders, (placeholder, name: string, type: string) =>
    Object.hasOwn(params, name) ? `CAST(${toLiteral(params[name])}, '${type}')` : placeholder,
  )
}

/** A number, a text or a list of them. */
function toLiteral(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toLiteral).join(',')}]`
  if (typeof value === 'number') return String(value)
  // Backslashes first: what is put in for the others has one.
  const escaped = String(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')
  return `'${escaped}'`
}
