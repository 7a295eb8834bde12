import { rulesAnswer, type RuleView } from '@sip-capture/contract/rest/rule.ts'
import { useEffect, useRef, useState } from 'preact/hooks'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { type ApiResult, getJson } from '../../state/api-client.ts'
import { pageLocation } from '../../state/location.ts'
import { findRules, groupRules } from './rule-areas.ts'

/** Every rule that a verdict can come from, as the API has it. */
export function RulesPage() {
  const [answer, setAnswer] = useState<ApiResult<{ items: RuleView[] }> | null>(null)
  const [text, setText] = useState('')
  const wanted = pageLocation.value.params.get('rule')
  useEffect(() => {
    const abort = new AbortController()
    const load = async () => {
      const found = await getJson('/rules', rulesAnswer, abort.signal)
      if (!abort.signal.aborted) setAnswer(found)
    }
    void load()
    return () => abort.abort()
  }, [])
  if (answer === null) return <main class="empty">Loading …</main>
  if (!answer.ok)
    return (
      <main class="empty">
        <h1>The rules could not be read</h1>
        <p>{shownText(answer.problem.message)}</p>
      </main>
    )
  const { items } = answer.value
  const found = findRules(items, text)
  return (
    <main class="sources rules" aria-label="Verdict rules">
      <h1>Verdict rules</h1>
      <p class="faint">
        What a verdict can say, and what it means. A rule is told only where the messages of a call show it.
      </p>
      <div class="rules-search">
        <input
          type="search"
          value={text}
          placeholder="Find a rule: 408, rewrite_contact, RFC 4028 …"
          aria-label="Find a rule"
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <span class="faint" role="status">
          {plural(found.length, 'rule')}
        </span>
      </div>
      {groupRules(found).map(([area, rules]) => (
        <section key={area} aria-label={area}>
          <h2>{area}</h2>
          {rules.map((rule) => (
            <RuleCard key={rule.id} rule={rule} titles={titlesOf(items)} isWanted={rule.id === wanted} />
          ))}
        </section>
      ))}
      {found.length === 0 && <p>No rule has these words.</p>}
    </main>
  )
}

const titlesOf = (rules: readonly RuleView[]) => new Map(rules.map(({ id, title }) => [id, title]))
const ruleLink = (id: string) => `/rules?rule=${encodeURIComponent(id)}`

function RuleCard(props: { rule: RuleView; titles: ReadonlyMap<string, string>; isWanted: boolean }) {
  const { rule, titles, isWanted } = props
  const card = useRef<HTMLElement>(null)
  useEffect(() => {
    if (!isWanted) return
    card.current?.scrollIntoView({ block: 'center' })
    card.current?.focus({ preventScroll: true })
  }, [isWanted])
  const calls = new URLSearchParams({ q: `verdict:${rule.id}` })
  return (
    <article
      ref={card}
      class={isWanted ? 'source-card rule is-wanted' : 'source-card rule'}
      aria-label={rule.title}
      tabIndex={-1}
      data-rule={rule.id}
    >
      <h3>
        {shownText(rule.title)} <a href={ruleLink(rule.id)}>{shownText(rule.id)}</a>
      </h3>
      <p>{shownText(rule.meaning)}</p>
      {rule.checks.length > 0 && (
        <ul aria-label="What to check">
          {rule.checks.map((check) => (
            <li key={check}>{shownText(check)}</li>
          ))}
        </ul>
      )}
      {rule.leadsTo.length > 0 && (
        <p>
          Explains:{' '}
          {rule.leadsTo.map((id, index) => (
            <span key={id}>
              {index > 0 && ', '}
              <a href={ruleLink(id)}>{shownText(titles.get(id) ?? id)}</a>
            </span>
          ))}
        </p>
      )}
      <p class="finding-facts">
        {rule.options.map(({ object, option }) => (
          <span key={`${object} ${option}`}>
            <code>
              {object}: {option}
            </code>{' '}
          </span>
        ))}
        {rule.rfc.join(' · ')}
      </p>
      <p>
        <a href={`/calls?${calls}`}>Calls that have it</a>
      </p>
    </article>
  )
}
