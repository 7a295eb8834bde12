import { registrationDetail, type RegistrationStep } from '@sip-capture/contract/rest/registration.ts'
import { useEffect, useMemo } from 'preact/hooks'
import { addressText } from '../../format/address.ts'
import { lengthText, tripText } from '../../format/duration.ts'
import { shownText } from '../../format/shown-text.ts'
import { rowTime, secondTime, toMicros } from '../../format/time.ts'
import { Polled } from '../../state/polled.ts'
import { State } from './registration-list.tsx'
import { stepWords } from './registration-words.ts'

const everyMillis = 5_000
const maxSteps = 300

/** One AOR: what is bound, why it was refused, and everything that happened, the newest first. */
export function RegistrationPane(props: { aor: string; node: string; onClose: () => void }) {
  const { aor, node, onClose } = props
  const polled = useMemo(() => {
    const query = new URLSearchParams({ limit: String(maxSteps), ...(node === '' ? {} : { node }) })
    return new Polled(`/registrations/${encodeURIComponent(aor)}?${query}`, registrationDetail)
  }, [aor, node])
  useEffect(() => polled.start(everyMillis), [polled])
  const answer = polled.answer.value
  const problem = polled.problem.value
  return (
    <section class="split-pane" aria-label={`Registration of ${shownText(aor)}`} data-testid="registration">
      <header class="list-head">
        <h2 class="wrap">{shownText(aor)}</h2>
        <button
          type="button"
          class="button close"
          aria-label="Close (Esc)"
          title="Close (Esc)"
          onClick={onClose}
        >
          <span aria-hidden="true">✕</span>
        </button>
      </header>
      {problem !== null && (
        <p class="notice" role="alert">
          {shownText(problem)}
        </p>
      )}
      {answer !== null && (
        <>
          <p>
            <State row={answer.summary} />{' '}
            <span class="faint">
              on {shownText(answer.summary.node)}
              {answer.summary.endpoint !== null && ` · endpoint ${shownText(answer.summary.endpoint)}`}
              {answer.summary.outboundStatus !== '' &&
                ` · Asterisk says: ${shownText(answer.summary.outboundStatus)}`}
            </span>
          </p>
          {answer.summary.refusal !== null && (
            <p class="callout look-failure">
              {answer.summary.refusal.status !== null && <strong>{answer.summary.refusal.status} </strong>}
              {shownText(answer.summary.refusal.why)}
              <span class="faint">
                {' '}
                {secondTime(answer.summary.refusal.at)}
                {answer.summary.refusal.count > 1 &&
                  ` · ${answer.summary.refusal.count} times since the last success`}
              </span>
            </p>
          )}
          {answer.findings.map((finding) => (
            <p
              key={finding.ruleId}
              class={`callout look-${finding.severity === 'error' ? 'failure' : finding.severity === 'warning' ? 'challenge' : 'progress'}`}
            >
              <strong>{shownText(finding.title)}</strong> {shownText(finding.sentence)}
            </p>
          ))}
          {answer.summary.contacts.length > 0 && (
            <ul class="bound" aria-label="Contacts">
              {answer.summary.contacts.map((contact) => (
                <li key={contact.uri}>
                  <span class="mono wrap">{shownText(contact.uri)}</span>{' '}
                  <span class="faint">
                    {[
                      contact.client === null ? '' : `from ${addressText(contact.client)}`,
                      contact.expiresAt === null
                        ? ''
                        : `for ${lengthText((toMicros(contact.expiresAt) - toMicros(answer.at)) / 1_000_000)}`,
                      contact.grantedSeconds === null ? '' : `of ${lengthText(contact.grantedSeconds)}`,
                      shownText(contact.status),
                      contact.roundTripMicros === null ? '' : tripText(contact.roundTripMicros),
                      shownText(contact.userAgent),
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </span>
                </li>
              ))}
            </ul>
          )}
          <h3>What happened</h3>
          <ol class="steps" aria-label="What happened, the newest first">
            {answer.steps.toReversed().map((step, index) => (
              <Step key={`${step.at} ${step.kind} ${index}`} step={step} />
            ))}
          </ol>
          {answer.truncated && <p class="faint">Older steps of the last 24 hours are not shown.</p>}
        </>
      )}
    </section>
  )
}

function Step({ step }: { step: RegistrationStep }) {
  const { look, title, detail } = stepWords(step)
  return (
    <li class={`step is-${step.kind} look-${look}`}>
      <time class="num" dateTime={step.at}>
        {rowTime(toMicros(step.at), Date.now())}
      </time>
      <span class="wrap">
        <span class="step-title">{shownText(title)}</span> <span class="faint">{shownText(detail)}</span>
        {step.kind === 'message' && (
          <>
            {' '}
            <span class="faint mono">
              {step.status === null
                ? `${addressText(step.client)} → ${addressText(step.server)}`
                : `${addressText(step.server)} → ${addressText(step.client)}`}
            </span>{' '}
            <a href={`/capture?callId=${encodeURIComponent(step.callId)}`}>messages</a>
          </>
        )}
        {step.kind === 'asterisk' && <span class="faint"> (AMI)</span>}
      </span>
    </li>
  )
}
