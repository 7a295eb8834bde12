import type { RegistrationRow, registrationsQuery } from '@sip-capture/contract/rest/registration.ts'
import type { z } from 'zod'

type Wanted = Pick<z.output<typeof registrationsQuery>, 'text' | 'state' | 'only' | 'node'>

/** The rows that match every word given. */
export function selectRows(rows: readonly RegistrationRow[], wanted: Wanted): RegistrationRow[] {
  const { text, state, only, node } = wanted
  const needle = text?.toLowerCase()
  return rows.filter(
    (row) =>
      (state === undefined || row.state === state) &&
      (node === undefined || row.node === node) &&
      (only === undefined || is(row, only)) &&
      (needle === undefined || textsOf(row).some((part) => part.toLowerCase().includes(needle))),
  )
}

function is(row: RegistrationRow, only: NonNullable<Wanted['only']>): boolean {
  if (only === 'expiring') return row.isExpiring
  return only === 'flapping' ? row.isFlapping : row.refusal !== null
}

function textsOf({ aor, endpoint, contacts }: RegistrationRow): string[] {
  return [
    aor,
    endpoint ?? '',
    ...contacts.flatMap(({ uri, client, userAgent }) => [uri, client?.address ?? '', userAgent]),
  ]
}
