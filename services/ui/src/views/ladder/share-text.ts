import { ladderText } from '@sip-capture/sip/ladder-text.ts'
import type { Ladder } from '@sip-capture/sip/ladder.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { shownText } from '../../format/shown-text.ts'
import { fullTime, toMicros, zoneText } from '../../format/time.ts'
import type { WholeCall } from '../../state/read-call.ts'

const severities = { ok: '✓ Good', info: 'i Note', warning: '! Warning', error: '✕ Problem' } as const
const maxFindings = 8
const maxOptions = 16

/** A call as Markdown for a ticket: who, when in UTC and in the viewer's zone, verdict, ladder as text. What strangers
 *  wrote cannot become markup. `link`: address of the page. */
export function shareText(call: WholeCall, ladder: Ladder, link: string): string {
  const startMicros = toMicros(call.startedAt)
  const endMicros = call.endedAt === null ? null : toMicros(call.endedAt)
  const drawing = ladderText(ladder)
  const fence = '`'.repeat(Math.max(3, longestRun(drawing) + 1))
  const legs = ladder.legs.slice(0, 50).map(({ number, callId }) => {
    const channel = call.legs.find((leg) => leg.callId === callId)?.channel ?? ''
    return `- Leg ${number}: Call-ID ${code(callId)}${channel === '' ? '' : `, ${code(channel)}`}`
  })
  return [
    `### ${plain(call.from)} → ${plain(call.to)}: ${plain(call.state.replaceAll('-', ' '))}`,
    '',
    ...call.findings
      .slice(0, maxFindings)
      .map(
        ({ severity, title, sentence }) =>
          `**${severities[severity]}: ${plain(title)}** ${plain(sentence)}\n`,
      ),
    ...optionLines(call),
    `- Begin: ${toRfc3339(startMicros)} (${fullTime(startMicros)}, ${zoneText(startMicros)})`,
    ...(endMicros === null
      ? []
      : [`- End: ${toRfc3339(endMicros)} (${fullTime(endMicros)}, ${zoneText(endMicros)})`]),
    ...legs,
    `- Call: <${link}>`,
    '',
    `${fence}text`,
    drawing.trimEnd(),
    fence,
    '',
  ].join('\n')
}

/** What Asterisk's options were set to when the call was looked at. */
function optionLines({ findings }: WholeCall): string[] {
  const sentences = findings
    .slice(0, maxFindings)
    .flatMap(({ options = [] }) => options.flatMap(({ sentence }) => sentence ?? []))
  return [...new Set(sentences)]
    .slice(0, maxOptions)
    .map((sentence) => `- Now in Asterisk: ${plain(sentence)}`)
}

/** Text in Markdown: one line, no markup, no HTML, no link. */
function plain(text: string): string {
  return shownText(text.slice(0, 500)).replaceAll(
    /[\\`*_{}[\]()#+!|~^@<>&]|:(?=\/\/)|(?<=www)\./gi,
    String.raw`\$&`,
  )
}

/** Text that is to be copied as it is. */
function code(text: string): string {
  const shown = shownText(text.slice(0, 500))
  const ticks = '`'.repeat(longestRun(shown) + 1)
  const pad = shown.startsWith('`') || shown.endsWith('`') ? ' ' : ''
  return `${ticks}${pad}${shown}${pad}${ticks}`
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))
}
