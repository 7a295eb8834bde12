import './dom.ts'
import { cleanup, fireEvent, render } from '@testing-library/preact'
import t from 'tap'
import { StatusLine } from '../src/components/status-line.tsx'
import { buildLadder } from '@sip-capture/sip/ladder.ts'
import { mergeSightings } from '@sip-capture/sip/sightings.ts'
import { addWord, emptyFilter } from '../src/state/capture-filter.ts'
import { toObserved } from '../src/state/observed.ts'
import type { GapEntry } from '../src/state/row-store.ts'
import { SourcesModel } from '../src/state/sources.ts'
import { FilterChips } from '../src/views/capture/filter-chips.tsx'
import { GapRow } from '../src/views/capture/gap-row.tsx'
import { HeaderList } from '../src/views/capture/header-list.tsx'
import { RawText } from '../src/views/capture/raw-text.tsx'
import { SdpView } from '../src/views/capture/sdp-view.tsx'
import { VerdictBanner } from '../src/views/capture/verdict-banner.tsx'
import { adviceFor } from '../src/views/sources/source-advice.ts'
import { goodSources } from './fake-api.ts'
import { answeredCall, busyCall } from './sip-calls.ts'

t.afterEach(() => cleanup())

const startMicros = 1_795_412_000_000_000
const observed = busyCall({ callId: 'c@h', startMicros, sources: ['wire', 'ami-hep'] }).flatMap(
  (row) => toObserved(row) ?? [],
)

const finding = {
  ruleId: 'F08-busy',
  severity: 'error' as const,
  side: 'peer' as const,
  confidence: 'high' as const,
  title: 'Busy <b>now</b>',
  sentence: 'The far side\u202e answered 486.',
  evidence: [observed.at(-1)?.id ?? '', 'an-id-that-is-not-here'],
  checks: ['Call again later.'],
  rfc: ['RFC 3261 21.4.24'],
  options: [],
}

t.test('a verdict says severity in words, cites its messages by number and opens them', async (t) => {
  const picked: string[] = []
  const { container, getByText, getByRole } = render(
    <VerdictBanner
      findings={[finding]}
      sightings={mergeSightings(observed)}
      onSelect={(id) => picked.push(id)}
    />,
  )
  t.match(container.textContent, /Problem: .*Busy <b>now<\/b>.*far side\\u\{202e\} answered/)
  t.equal(container.querySelector('b b'), null, 'markup in a title is text')
  t.equal(container.querySelectorAll('.evidence button').length, 1, 'only messages that are here are cited')
  fireEvent.click(getByText('#4'))
  t.same(picked, [observed.at(-1)?.id])
  t.notMatch(container.textContent, /Call again later/)
  fireEvent.click(getByRole('button', { name: 'Why, and what to check' }))
  t.match(container.textContent, /Call again later.*for the other side to fix.*RFC 3261 21\.4\.24/s)
})

t.test('a verdict says what the options are set to, and leads to its rule and to a good call', async (t) => {
  const options = [
    {
      option: 'rtp_symmetric',
      object: 'endpoint',
      endpoint: 'acme',
      value: 'no',
      sentence: 'rtp_symmetric is no on endpoint acme',
    },
    {
      option: 'local_net',
      object: 'transport',
      endpoint: 'acme',
      value: '',
      sentence: 'local_net is not set on transport udp',
    },
    { option: 'direct_media', object: 'endpoint', endpoint: 'acme' },
  ]
  const { container, getByRole } = render(
    <VerdictBanner
      findings={[{ ...finding, options }]}
      sightings={mergeSightings(observed)}
      onSelect={() => undefined}
      optionsProblem="no bridge of <pbx1> is running"
      comparisonLink="/comparison?callId=c"
    />,
  )
  t.equal(
    getByRole('link', { name: 'Compare with a good call' }).getAttribute('href'),
    '/comparison?callId=c',
  )
  fireEvent.click(getByRole('button', { name: 'Why, and what to check' }))
  const items = [...container.querySelectorAll('.finding-options li')]
  t.same(
    items.map((item) => [item.textContent, item.querySelector('b')?.textContent]),
    [
      ['rtp_symmetric is no on endpoint acme', 'no'],
      ['local_net is not set on transport udp', 'not set'],
    ],
  )
  t.match(container.textContent, /is not known: no bridge of <pbx1> is running\./)
  t.equal(getByRole('link', { name: 'F08-busy' }).getAttribute('href'), '/rules?rule=F08-busy')
})

t.test('nothing to compare with, or no trouble: no link', async (t) => {
  const good = { ...finding, severity: 'ok' as const }
  const { container } = render(
    <VerdictBanner
      findings={[good]}
      sightings={[]}
      onSelect={() => undefined}
      comparisonLink="/comparison?callId=c"
    />,
  )
  t.equal(container.querySelector('a'), null)
})

t.test('a call without findings says so', async (t) => {
  const { container } = render(<VerdictBanner findings={[]} sightings={[]} onSelect={() => undefined} />)
  t.match(container.textContent, /Nothing to remark/)
})

t.test('the ladder has no arrow to its own lane and one arrow a message, however many saw it', async (t) => {
  const ladder = buildLadder(observed)
  t.equal(ladder.arrows.length, 4)
  t.ok(ladder.arrows.every((arrow) => arrow.fromLane !== arrow.toLane))
  t.same(ladder.arrows[0]?.sources, ['wire', 'ami-hep'])
})

t.test('each chip takes away its own filter', async (t) => {
  const seen: unknown[] = []
  const filter = addWord(addWord(emptyFilter, 'method', 'INVITE'), 'text', '<b>\u0007')
  const { container, getByLabelText } = render(
    <FilterChips filter={filter} onChange={(next) => seen.push(next.words)} />,
  )
  t.match(container.textContent, /<b>\\x07/)
  fireEvent.click(getByLabelText('Remove filter Method INVITE'))
  t.same(seen, [{ text: ['<b>\u0007'] }])
})

t.test('no filter, no chips', async (t) => {
  const { container } = render(<FilterChips filter={emptyFilter} onChange={() => undefined} />)
  t.equal(container.textContent, '')
})

t.test('a gap says how much, when and why, and offers to fill it until it is filled', async (t) => {
  const gap: GapEntry = {
    kind: 'gap',
    key: 1,
    atMicros: startMicros,
    from: '2026-11-23T05:33:20.000000Z',
    to: '2026-11-23T05:33:25.000000Z',
    missed: 1200,
    reason: 'this browser was too slow',
    state: 'open',
    filled: 0,
    problem: '',
    revision: 0,
  }
  const draw = (state: GapEntry['state']) => (
    <GapRow
      gap={{ ...gap, state, filled: 1200 }}
      revision={0}
      top={0}
      index={0}
      active={false}
      onFill={() => undefined}
    />
  )
  const { container, rerender } = render(draw('open'))
  t.match(container.textContent, /1,200 rows not sent to this page.*this browser was too slow/)
  t.ok(container.querySelector('button'))
  rerender(draw('filled'))
  t.match(container.textContent, /1,200 rows fetched/)
  t.equal(container.querySelector('button'), null)
})

t.test('headers open one by one to their raw line', async (t) => {
  const [invite] = answeredCall({ callId: 'c@h', startMicros })
  const headers = (invite === undefined ? null : toObserved(invite))?.message.headers ?? []
  const { container } = render(<HeaderList headers={headers} />)
  t.equal(container.querySelectorAll('details').length, headers.length)
  t.match(container.querySelector('[data-header="via"] .header-raw')?.textContent, /^Via: SIP\/2\.0\/UDP/)
})

t.test('raw text shows NUL, escape and a bare line feed', async (t) => {
  const { container } = render(<RawText text={'A: \0\u001b[2J\nB: 1\r\n'} />)
  t.match(container.querySelector('pre')?.textContent, 'A: \\0\\x1b[2J\\n')
})

t.test('an SDP body that is garbage is shown, not thrown at', async (t) => {
  const { container } = render(<SdpView body={new TextEncoder().encode('m=\u0000<b>\r\nnonsense')} />)
  t.match(container.textContent, /nonsense/)
  t.equal(container.querySelector('pre b'), null)
})

t.test('the status line tells each source by sign and word, and that the API is away', async (t) => {
  const sources = new SourcesModel()
  sources.take(goodSources)
  const { container, rerender } = render(<StatusLine link="open" sources={sources} unreadable={0} />)
  t.match(container.textContent, /● API.*● Asterisk \(hep\).*◐ Wire degraded 1 !/)
  rerender(<StatusLine link="lost" sources={sources} unreadable={2} />)
  t.match(container.textContent, /✕ API away, reconnecting.*2 frames not understood/)
})

t.test('Redis away and a silent source are said at the foot of the page', async (t) => {
  const sources = new SourcesModel()
  const [ami] = goodSources.items
  if (ami === undefined) return t.fail('no source')
  sources.take({
    items: [{ ...ami, stale: true }],
    api: { ...goodSources.api, redis: { ok: false, detail: 'no answer' } },
  })
  const { container } = render(<StatusLine link="open" sources={sources} unreadable={0} />)
  t.match(container.textContent, /✕ Redis away.*✕ Asterisk \(hep\) silent/)
})

t.test('advice names the setting, and there is none when all is well', async (t) => {
  const [ami, wire] = goodSources.items
  if (ami === undefined || wire === undefined) return t.fail('no sources')
  t.same(adviceFor(ami), [])
  t.match(adviceFor({ ...ami, state: 'failed' }), [/AMI_HOST.*AMI_SECRET/])
  t.match(adviceFor({ ...wire, state: 'off' }), [/TSHARK_ENABLED=true/])
  t.match(adviceFor({ ...wire, state: 'failed' }), [/TSHARK_COMMAND.*CAP_NET_RAW/])
  t.match(adviceFor({ ...ami, stale: true }), [/REDIS_URL/])
})
