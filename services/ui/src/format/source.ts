import type { MessageSource } from '@sip-capture/contract/bus/sip-record.ts'

/** Short badge and full meaning of each source, best evidence first. */
export const sourceNames: Readonly<Record<MessageSource, { badge: string; label: string; meaning: string }>> =
  {
    wire: {
      badge: 'WIRE',
      label: 'Wire',
      meaning: 'Captured from the network card, byte for byte',
    },
    'ami-hep': { badge: 'HEP', label: 'Asterisk (HEP)', meaning: 'Sent by Asterisk over HEP, byte for byte' },
    'ami-event': { badge: 'AMI', label: 'Asterisk (AMI event)', meaning: 'Told by an AMI event of Asterisk' },
    'ami-history': {
      badge: 'HIST',
      label: 'Asterisk (pjsip history)',
      meaning:
        'Read from the pjsip history of Asterisk: printed again by pjsip, not the bytes of the wire; whole seconds',
    },
    import: { badge: 'FILE', label: 'Imported file', meaning: 'From an uploaded capture file' },
  }

/** Which of several sightings to show: the bytes nearest to the wire. */
export const sourceRank: Readonly<Record<MessageSource, number>> = {
  wire: 0,
  'ami-hep': 1,
  'ami-event': 2,
  'ami-history': 3,
  import: 4,
}
