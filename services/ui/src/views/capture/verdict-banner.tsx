import type { CallDetail } from '@sip-capture/contract/rest/call.ts'
import { useMemo, useState } from 'preact/hooks'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import type { Sighting } from '@sip-capture/sip/sightings.ts'

type Finding = CallDetail['findings'][number]

const signs: Readonly<Record<Finding['severity'], { sign: string; word: string }>> = {
  ok: { sign: '✓', word: 'Good' },
  info: { sign: 'i', word: 'Note' },
  warning: { sign: '!', word: 'Warning' },
  error: { sign: '✕', word: 'Problem' },
}

const sides: Readonly<Record<Finding['side'], string>> = {
  us: 'for us to fix',
  peer: 'for the other side to fix',
  network: 'in the network',
  user: "the user's doing",
  none: '',
}

/** What happened, said first; evidence, checks and RFC one click away. */
export function VerdictBanner(props: {
  findings: readonly Finding[]
  sightings: readonly Sighting[]
  onSelect: (id: string) => void
  /** Why current values of options are missing. */
  optionsProblem?: string | undefined
  /** Where the call is compared with a good one; undefined where there is nothing to compare with. */
  comparisonLink?: string | undefined
}) {
  const [expanded, setExpanded] = useState(false)
  const numbers = useMemo(() => numbersOf(props.sightings), [props.sightings])
  const [first, ...rest] = props.findings
  if (first === undefined)
    return (
      <div class="verdict verdict-info">
        <p class="verdict-line">
          <span class="verdict-sign" aria-hidden="true">
            i
          </span>
          <span>Nothing to remark on yet.</span>
        </p>
      </div>
    )
  return (
    <div class={`verdict verdict-${first.severity}`} role="status" data-testid="verdict">
      <FindingLine finding={first} numbers={numbers} onSelect={props.onSelect} expanded={expanded} />
      {expanded &&
        rest.map((finding) => (
          <FindingLine
            key={finding.ruleId}
            finding={finding}
            numbers={numbers}
            onSelect={props.onSelect}
            expanded
          />
        ))}
      {expanded && props.optionsProblem !== undefined && (
        <p class="finding-facts">
          What the options are set to now is not known: {shownText(props.optionsProblem)}.
        </p>
      )}
      <button
        type="button"
        class="link verdict-more"
        aria-expanded={expanded}
        onClick={() => setExpanded(!expanded)}
      >
        {expanded
          ? 'Less'
          : rest.length > 0
            ? `Why, what to check, and ${plural(rest.length, 'more finding')}`
            : 'Why, and what to check'}
      </button>
      {props.comparisonLink !== undefined && isTrouble(first) && (
        <a class="verdict-more" href={props.comparisonLink}>
          Compare with a good call
        </a>
      )}
    </div>
  )
}

/** As the ladder counts them, by the id of any sight. */
function numbersOf(sightings: readonly Sighting[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>()
  for (const [index, { all }] of sightings.entries()) for (const { id } of all) numbers.set(id, index + 1)
  return numbers
}

const isTrouble = ({ severity }: Finding) => severity === 'error' || severity === 'warning'

function FindingLine(props: {
  finding: Finding
  numbers: ReadonlyMap<string, number>
  onSelect: (id: string) => void
  expanded: boolean
}) {
  const { finding, expanded } = props
  const { sign, word } = signs[finding.severity]
  const numbers = finding.evidence.flatMap((id) => {
    const number = props.numbers.get(id)
    return number === undefined ? [] : [{ id, number }]
  })
  // Told in the order of time, whatever order the rule found them in.
  numbers.sort((one, other) => one.number - other.number)
  const side = sides[finding.side]
  return (
    <div class={`finding finding-${finding.severity}`}>
      <p class="verdict-line">
        <span class="verdict-sign" aria-hidden="true">
          {sign}
        </span>
        <span>
          <span class="visually-hidden">{word}: </span>
          <b>{shownText(finding.title)}</b>{' '}
          <span class="verdict-sentence">{shownText(finding.sentence)}</span>
          {numbers.length > 0 && (
            <span class="evidence">
              {' '}
              Seen in{' '}
              {numbers.slice(0, 12).map(({ id, number }) => (
                <button
                  key={id}
                  type="button"
                  class="link num"
                  onClick={() => props.onSelect(id)}
                  aria-label={`Show message ${number}`}
                >
                  #{number}
                </button>
              ))}
            </span>
          )}
        </span>
      </p>
      {expanded && (
        <div class="finding-more">
          {finding.checks.length > 0 && (
            <ul aria-label="What to check">
              {finding.checks.map((check) => (
                <li key={check}>{shownText(check)}</li>
              ))}
            </ul>
          )}
          <OptionList options={finding.options ?? []} />
          <p class="finding-facts">
            {[side, `${finding.confidence} confidence`, ...finding.rfc]
              .filter(Boolean)
              .map(shownText)
              .join(' · ')}
            {' · '}
            <a href={`/rules?rule=${encodeURIComponent(finding.ruleId)}`}>{shownText(finding.ruleId)}</a>
          </p>
        </div>
      )}
    </div>
  )
}

/** What Asterisk says the options are set to now; without its word nothing. */
function OptionList({ options }: { options: NonNullable<Finding['options']> }) {
  const known = options.filter((option) => option.sentence !== undefined)
  if (known.length === 0) return null
  return (
    <ul class="finding-options" aria-label="Now in Asterisk">
      {known.map(({ object, option, value = '', sentence = '' }) => {
        const said = value === '' ? 'not set' : value
        const at = sentence.indexOf(said, option.length)
        return (
          <li key={`${object} ${option}`}>
            <code>{shownText(option)}</code>
            {shownText(sentence.slice(option.length, at < 0 ? undefined : at))}
            {at >= 0 && <b>{shownText(said)}</b>}
            {at >= 0 && shownText(sentence.slice(at + said.length))}
          </li>
        )
      })}
    </ul>
  )
}
