/** Nothing inline, nothing from elsewhere: markup that ever slipped into the page could not run. */
const policy =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'"

const always = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' } as const

/** No page may frame the application: its buttons could be clicked unseen. */
export const pageHeaders = {
  ...always,
  'content-security-policy': `${policy}; frame-ancestors 'none'`,
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
} as const

/** The viewer changes nothing, so pages of these origins may frame it. Without any: nobody, as the application. */
export function embedHeaders(allowedOrigins: readonly string[]): Readonly<Record<string, string>> {
  if (allowedOrigins.length === 0) return pageHeaders
  const ancestors = allowedOrigins.map((origin) => new URL(origin).origin).join(' ')
  // `X-Frame-Options` knows no list, and would forbid what the policy allows.
  return { ...always, 'content-security-policy': `${policy}; frame-ancestors ${ancestors}` }
}
