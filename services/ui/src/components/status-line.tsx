import type { SourceView } from '@sip-capture/contract/rest/source.ts'
import { shownText } from '../format/shown-text.ts'
import type { LinkState } from '../state/live-feed.ts'
import type { SourcesModel } from '../state/sources.ts'

const signs = { good: '●', partly: '◐', bad: '✕', off: '○' } as const
type Level = keyof typeof signs

const linkWords: Readonly<Record<LinkState, { level: Level; word: string; title: string }>> = {
  open: { level: 'good', word: 'API', title: 'Connected to the API' },
  connecting: { level: 'partly', word: 'API connecting …', title: 'Connecting to the API' },
  lost: {
    level: 'bad',
    word: 'API away, reconnecting …',
    title: 'The API does not answer. The page tries again by itself; nothing captured is lost meanwhile',
  },
}

export function levelOf(source: Pick<SourceView, 'state' | 'stale'>): Level {
  if (source.stale) return 'bad'
  if (source.state === 'up') return 'good'
  if (source.state === 'off') return 'off'
  return source.state === 'failed' ? 'bad' : 'partly'
}

export function sourceTitle(source: SourceView): string {
  return `${source.kind === 'ami' ? 'Asterisk' : 'Wire'}${source.tap === undefined ? '' : ` (${source.tap})`}`
}

/** At the foot of every page: each part of the chain, by sign and word. */
export function StatusLine(props: { link: LinkState; sources: SourcesModel; unreadable: number }) {
  const { link, sources, unreadable } = props
  const answer = sources.answer.value
  const { level, word, title } = linkWords[link]
  return (
    <footer class="status-line" aria-label="Health of the sources" data-testid="status-line">
      <Part level={level} title={title}>
        {word}
      </Part>
      {answer?.api.redis.ok === false && (
        <Part level="bad" title={shownText(answer.api.redis.detail)}>
          Redis away
        </Part>
      )}
      {answer?.api.history.ok === false && (
        <Part level="bad" title={shownText(answer.api.history.detail)}>
          History away
        </Part>
      )}
      {answer?.items.map((source) => (
        <Part
          key={`${source.kind} ${source.node}`}
          level={link === 'lost' ? 'partly' : levelOf(source)}
          title={shownText(source.detail)}
        >
          {sourceTitle(source)}
          {stateWord(source)}
          {source.warnings.length > 0 && <span class="warn"> {source.warnings.length} !</span>}
        </Part>
      ))}
      {answer !== null && answer.items.length === 0 && (
        <Part level="bad" title="Neither ami-bridge nor capture-sidecar has reported">
          no source
        </Part>
      )}
      {unreadable > 0 && (
        <Part level="bad" title="Page and API are of different versions: reload the page">
          {unreadable} frames not understood
        </Part>
      )}
    </footer>
  )
}

function stateWord(source: SourceView): string {
  if (source.stale) return ' silent'
  return source.state === 'up' ? '' : ` ${source.state}`
}

function Part(props: { level: Level; title: string; children: preact.ComponentChildren }) {
  return (
    <a class={`status-part level-${props.level}`} href="/sources" title={props.title}>
      <span class="status-sign" aria-hidden="true">
        {signs[props.level]}
      </span>{' '}
      {props.children}
    </a>
  )
}
