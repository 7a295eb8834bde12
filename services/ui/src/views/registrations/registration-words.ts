import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import type { RegistrationRow, RegistrationStep } from '@sip-capture/contract/rest/registration.ts'
import { lengthText, tripText } from '../../format/duration.ts'

/** A state by sign and word, never by colour alone. */
export const stateWords: Readonly<
  Record<RegistrationRow['state'], { sign: string; word: string; look: string; means: string }>
> = {
  registered: {
    sign: '✓',
    word: 'registered',
    look: 'success',
    means: 'A binding that was granted has not run out.',
  },
  pending: { sign: '…', word: 'pending', look: 'progress', means: 'A REGISTER waits for its answer.' },
  expired: {
    sign: '○',
    word: 'expired',
    look: 'challenge',
    means: 'The binding ran out and was not renewed.',
  },
  unregistered: { sign: '–', word: 'unregistered', look: 'progress', means: 'Nothing is bound.' },
  challenged: {
    sign: '?',
    word: 'challenged',
    look: 'challenge',
    means: 'A password was asked for, and none came.',
  },
  unanswered: {
    sign: '✕',
    word: 'unanswered',
    look: 'failure',
    means: 'No answer for 32 s (64·T1, RFC 3261 17.1.2.2).',
  },
  refused: {
    sign: '✕',
    word: 'refused',
    look: 'failure',
    means: 'The last try was refused, and nothing is bound.',
  },
}

/** Two PBXs may know the same AOR. */
export const rowKey = (row: Pick<RegistrationRow, 'aor' | 'node'>): string => `${row.node}\n${row.aor}`

export const expiringMeans = 'About to expire: less than a tenth of the granted time is left.'
export const flappingMeans = 'Flapping: lost or moved three times or more within 15 minutes.'

/** One step of a timeline in words. All text is foreign: the caller shows it escaped. */
export interface StepWords {
  readonly look: string
  readonly title: string
  readonly detail: string
}

export function stepWords(step: RegistrationStep): StepWords {
  switch (step.kind) {
    case 'message':
      return messageWords(step)
    case 'change':
      return changeWords(step)
    case 'asterisk':
      return eventWords(step.event)
    default:
      return step satisfies never
  }
}

function messageWords(step: RegistrationStep & { kind: 'message' }): StepWords {
  const { status, contacts, expiresSeconds } = step
  const again = step.isResent ? ' ⟳ sent again' : ''
  const lifetime = expiresSeconds === null ? '' : lengthText(expiresSeconds)
  if (status === null) {
    const isRemoval = expiresSeconds === 0 || contacts.includes('*')
    const parts = [
      isRemoval ? 'takes its binding away' : lifetime === '' ? '' : `asks for ${lifetime}`,
      step.hasCredentials ? 'with credentials' : 'without credentials',
      contacts.join(', '),
      step.userAgent,
    ]
    return { look: 'request', title: `REGISTER${again}`, detail: parts.filter(Boolean).join(' · ') }
  }
  const title = `${status} ${step.reason}${again}`.trim()
  if (status < 200) return { look: 'progress', title, detail: '' }
  if (status < 300)
    return {
      look: 'success',
      title,
      detail: [
        contacts.length === 0
          ? 'nothing is bound any more'
          : lifetime === ''
            ? ''
            : `granted for ${lifetime}`,
        contacts.join(', '),
      ]
        .filter(Boolean)
        .join(' · '),
    }
  if (status === 401 || status === 407)
    return {
      look: step.hasCredentials && !step.isStale ? 'failure' : 'challenge',
      title,
      detail: step.isStale
        ? 'the nonce was too old (stale=true)'
        : step.hasCredentials
          ? 'refuses the credentials'
          : 'asks for a password',
    }
  return { look: status < 400 ? 'redirect' : 'failure', title, detail: '' }
}

function changeWords({ change, from, to }: RegistrationStep & { kind: 'change' }): StepWords {
  switch (change) {
    case 'moved':
      return { look: 'redirect', title: 'Address changed', detail: `${from} → ${to}` }
    case 'expired':
      return { look: 'failure', title: 'Expired', detail: `not renewed: ${from}` }
    case 'unregistered':
      return { look: 'progress', title: 'Unregistered', detail: from }
    case 'unreachable':
    case 'removed':
      return { look: 'failure', title: change === 'removed' ? 'Removed' : 'Unreachable', detail: from }
    default:
      return change satisfies never
  }
}

function eventWords(event: CallEvent): StepWords {
  switch (event.kind) {
    case 'contact-changed': {
      const trip = event.roundTripMicros === undefined ? '' : `round trip ${tripText(event.roundTripMicros)}`
      const isBad = event.status === 'Unreachable' || event.status === 'Removed'
      return {
        look: isBad ? 'failure' : event.status === 'Reachable' ? 'success' : 'progress',
        title: `Contact ${event.status}`,
        detail: [trip, event.uri, event.userAgent].filter(Boolean).join(' · '),
      }
    }
    case 'registration-changed':
      return {
        look: event.status === 'Registered' ? 'success' : 'failure',
        title: `Asterisk's own registration: ${event.status}`,
        detail: [event.domain, event.cause].filter(Boolean).join(' · '),
      }
    case 'peer-changed':
      return {
        look: event.status === 'Reachable' ? 'success' : 'failure',
        title: `Endpoint ${event.status}`,
        detail: event.cause,
      }
    case 'security-reported':
      return {
        look: 'failure',
        title: event.reason,
        detail: `account ${event.account} from ${event.remoteAddress}:${event.remotePort} ${event.transport}${event.acl === '' ? '' : ` · ACL ${event.acl}`}`,
      }
    default:
      return { look: 'progress', title: event.kind, detail: '' }
  }
}
