import type { CallDetail } from '@sip-capture/contract/rest/call.ts'
import { shownText } from '../../format/shown-text.ts'

const sources: Readonly<Record<CallDetail['legs'][number]['link'], string>> = {
  asked: '',
  getvar: 'Asterisk itself named its Call-ID.',
  hep: "Asterisk's HEP packets named its Call-ID.",
  guess: 'A guess:',
}

/** How the id of a link led to this call; nothing where it is the Call-ID itself. */
export function linkSentence(id: string, legs: CallDetail['legs']): string | null {
  if (legs.some(({ callId }) => callId === id)) return null
  const isLinkedid = legs.some(({ linkedid }) => linkedid === id)
  const index = legs.findIndex((leg) => leg.uniqueid === id || leg.channel === id)
  const leg = legs[index]
  if (leg === undefined) return isLinkedid ? `${id} is the Linkedid of this call, as Asterisk told it.` : null
  const names = [
    isLinkedid && legs.length > 1 && 'the Linkedid of this call',
    `the ${leg.uniqueid === id ? 'Uniqueid' : 'channel'} of leg ${index + 1}`,
  ]
  return [`${id} is ${names.filter(Boolean).join(' and ')}.`, sources[leg.link], leg.reason]
    .filter(Boolean)
    .join(' ')
}

export function LinkNote({ id, call }: { id: string | null; call: Pick<CallDetail, 'legs'> | null }) {
  const sentence = id === null || call === null ? null : linkSentence(id, call.legs)
  if (sentence === null) return null
  return (
    <p class="link-note" role="note" data-testid="link-note">
      <span aria-hidden="true">→</span> Opened by a link: {shownText(sentence.slice(0, 500))}
    </p>
  )
}
