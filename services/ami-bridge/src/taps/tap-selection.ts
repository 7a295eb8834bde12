import type { AmiTap } from '@sip-capture/contract/bus/source-status.ts'

/**
 * Which tap is in use. In `auto` the history is the yardstick: another tap takes over once it has shown, several times in
 * a row, every message that the history showed. So neither a forged event nor a stranger's HEP can switch the history off.
 */
export interface TapSelection {
  readonly tap: AmiTap | undefined
  readonly reason: string
  /** The history showed a message that these taps had shown already. */
  noteHistory(alsoSeenBy: readonly AmiTap[]): void
  /** A tap other than the history delivers, while the history cannot be read. */
  noteOnlySource(tap: AmiTap, why: string): void
  /** AMI says that there is SIP traffic (a hint, so all it can do is to bring the history back). */
  noteTraffic(): void
  noteDelivery(tap: AmiTap): void
  /** Asterisk may be another one than before: measured anew. */
  restart(): void
  close(): void
}

export type TapSetting = AmiTap | 'auto' | 'off'

const neededInARow = 4
const silenceMillis = 2_000
/** How far a message may run ahead of the event that it caused. */
const aheadMillis = 100

export function createTapSelection(options: {
  setting: TapSetting
  /** `lostSinceMillis`: how long ago the tap that fell silent delivered last. */
  onChange: (tap: AmiTap, from: AmiTap, silentForMillis: number) => void
}): TapSelection {
  const { setting, onChange } = options
  const inARow = new Map<AmiTap, number>()
  const deliveredAt = new Map<AmiTap, number>()
  let tap: AmiTap | undefined = setting === 'off' ? undefined : setting === 'auto' ? 'history' : setting
  let reason =
    setting === 'auto' ? startReason : setting === 'off' ? 'AMI_TAP is off' : `AMI_TAP is set to ${setting}`
  let silenceTimer: NodeJS.Timeout | undefined
  let lastHintAt = 0

  function change(to: AmiTap, why: string): void {
    const from = tap
    if (setting !== 'auto' || from === undefined || from === to) return
    tap = to
    reason = why
    inARow.clear()
    onChange(to, from, performance.now() - (deliveredAt.get(from) ?? performance.now()))
  }

  /** The tap in use must deliver something around or behind the hint, soon. */
  function watchFrom(hintedAt: number): void {
    silenceTimer = setTimeout(() => {
      silenceTimer = undefined
      if (tap === undefined || tap === 'history') return
      const delivered = deliveredAt.get(tap) ?? 0
      if (delivered < hintedAt - aheadMillis)
        change('history', `${nouns[tap]} fell silent while Asterisk had traffic`)
      else if (delivered < lastHintAt - aheadMillis) watchFrom(lastHintAt)
    }, silenceMillis)
  }

  return {
    get tap() {
      return tap
    },
    get reason() {
      return reason
    },
    noteHistory(alsoSeenBy) {
      if (tap !== 'history') return
      for (const candidate of ['events', 'hep'] as const) {
        const count = alsoSeenBy.includes(candidate) ? (inARow.get(candidate) ?? 0) + 1 : 0
        inARow.set(candidate, count)
        if (count >= neededInARow) {
          change(candidate, deliveredReasons[candidate])
          return
        }
      }
    },
    noteOnlySource(candidate, why) {
      change(candidate, `${nouns[candidate]} delivers, and ${why}`)
    },
    noteTraffic() {
      if (setting !== 'auto' || tap === undefined || tap === 'history') return
      lastHintAt = performance.now()
      if (!silenceTimer) watchFrom(lastHintAt)
    },
    noteDelivery(from) {
      deliveredAt.set(from, performance.now())
    },
    restart() {
      change('history', startReason)
    },
    close: () => clearTimeout(silenceTimer),
  }
}

const nouns = { events: 'The AMI event stream', hep: 'HEP', history: 'The PJSIP history' } as const

const startReason =
  'neither AMI events with SIP text nor HEP deliver, and the PJSIP history needs nothing but the AMI login'

const deliveredReasons = {
  events: 'AMI events carry every message that the PJSIP history showed',
  hep: 'HEP delivers every message that the PJSIP history showed, byte for byte',
} as const
