import type { ServerFrame } from '@sip-capture/contract/live.ts'
import { type WatchMatch, watchMatch } from '@sip-capture/contract/rest/watch.ts'
import { callStateLooks } from '../format/call-state.ts'
import { plural } from '../format/number.ts'
import { shownText } from '../format/shown-text.ts'
import { isDesktopOn, showDesktop } from './desktop-notices.ts'
import { notices, notify, renotify } from './notices.ts'
import { matchLink } from './watch-client.ts'

/** Matches that were told; the same comes again with the news of its webhook. */
const maxTold = 1_000
const told = new Set<string>()
/** The notice of each watch, while it is open: more matches of it are counted there. */
const open = new Map<string, { readonly noticeId: number; readonly count: number }>()

const maxText = 60
const cut = (text: string): string => shownText(text.length > maxText ? `${text.slice(0, maxText)}…` : text)

/** Who called whom, and how it went, in a line of plain text. */
export function matchText({ call }: WatchMatch): string {
  const { from, to, state, code, verdict } = call
  const why = verdict === null ? '' : `: ${cut(verdict.title)}`
  const status = code === null || code < 300 ? '' : ` ${code}`
  return `${cut(from.number)} → ${cut(to.number)}, ${callStateLooks[state].word}${status}${why}`
}

/** Shows each match once: in the corner of the page, and on the desktop where that was asked for. */
export function tellMatches(frame: ServerFrame & { readonly type: 'watch:matched' }): void {
  for (const item of frame.items) {
    const parsed = watchMatch.safeParse(item)
    if (!parsed.success || told.has(parsed.data.id)) continue
    remember(parsed.data.id)
    tell(parsed.data)
  }
  if (frame.missed > 0)
    notify({
      level: 'info',
      text: `${plural(frame.missed, 'more call')} matched a watch.`,
      link: { href: '/watches', label: 'Show' },
    })
}

function remember(id: string): void {
  told.add(id)
  const [oldest] = told
  if (told.size > maxTold && oldest !== undefined) told.delete(oldest)
}

function tell(match: WatchMatch): void {
  const { watchId, watchName } = match
  const before = open.get(watchId)
  const isShown = before !== undefined && notices.peek().some(({ id }) => id === before.noticeId)
  const count = (isShown ? before.count : 0) + 1
  const what = count === 1 ? '' : `${plural(count, 'call')}, the last `
  const notice = {
    level: 'info',
    text: `“${cut(watchName)}” matched ${what}${matchText(match)}`,
    link:
      count === 1
        ? { href: matchLink(match.call), label: 'Open the call' }
        : { href: '/watches', label: 'Show all' },
  } as const
  if (isShown) renotify(before.noticeId, notice)
  open.set(watchId, { noticeId: isShown ? before.noticeId : notify(notice), count })
  if (isDesktopOn())
    showDesktop(cut(watchName), matchText(match), { tag: watchId, href: matchLink(match.call) })
}
