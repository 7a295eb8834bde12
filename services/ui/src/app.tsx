import { useEffect } from 'preact/hooks'
import { FileDrop } from './components/file-drop.tsx'
import { lazyPage } from './components/lazy-page.tsx'
import { useLazyPart } from './components/lazy-part.ts'
import { StatusLine } from './components/status-line.tsx'
import { accessRefused, accessToken } from './state/access.ts'
import type { CaptureModel } from './state/capture.ts'
import type { LiveFeed } from './state/live-feed.ts'
import { navigate, pageLocation } from './state/location.ts'
import { notices } from './state/notices.ts'
import type { OpenCallModel } from './state/open-call.ts'
import type { SourcesModel } from './state/sources.ts'
import { theme, type Theme } from './state/theme.ts'
import { CapturePage } from './views/capture/capture-page.tsx'

export interface AppModels {
  readonly feed: LiveFeed
  readonly capture: CaptureModel
  readonly open: OpenCallModel
  readonly sources: SourcesModel
}

const routes = [
  { path: '/capture', label: 'Capture' },
  { path: '/calls', label: 'Calls' },
  { path: '/watches', label: 'Watches' },
  { path: '/stats', label: 'Statistics' },
  { path: '/rules', label: 'Rules' },
  { path: '/registrations', label: 'Registrations' },
  { path: '/trunks', label: 'Trunks' },
  { path: '/exports', label: 'Exports' },
  { path: '/sources', label: 'Sources' },
  { path: '/links', label: 'Links' },
]

const nextTheme: Readonly<Record<Theme, Theme>> = { auto: 'dark', dark: 'light', light: 'auto' }
const themeSigns: Readonly<Record<Theme, string>> = { auto: '◐', dark: '●', light: '○' }

export function App(models: AppModels) {
  const { feed, capture, open, sources } = models
  const { path } = pageLocation.value
  useEffect(() => {
    if (path === '/') navigate('/capture', pageLocation.peek().params, 'replace')
    const page = routes.find((route) => route.path === path)
    if (path !== '/capture' && path !== '/calls')
      document.title = page === undefined ? 'SIP Capture' : `${page.label} · SIP Capture`
    // On a phone the links are wider than the screen and are swiped.
    document
      .querySelector('.top [aria-current="page"]')
      ?.scrollIntoView({ inline: 'center', block: 'nearest' })
  }, [path])
  return (
    <div class="app" onClick={followLink}>
      <header class="top">
        <a class="brand" href="/capture">
          SIP Capture
        </a>
        <nav aria-label="Pages">
          {routes.map((route) => (
            <a key={route.path} href={route.path} aria-current={path === route.path ? 'page' : undefined}>
              {route.label}
            </a>
          ))}
        </nav>
        <button
          type="button"
          class="theme-button"
          aria-label={`Theme: ${theme.value}. Change to ${nextTheme[theme.value]}`}
          title={`Theme: ${theme.value}`}
          onClick={() => {
            theme.value = nextTheme[theme.value]
          }}
        >
          <span aria-hidden="true">{themeSigns[theme.value]}</span>{' '}
          <span class="theme-word">{theme.value}</span>
        </button>
      </header>
      {path === '/capture' || path === '/' ? (
        <CapturePage capture={capture} open={open} sources={sources} link={feed.link.value} />
      ) : path === '/calls' ? (
        <CallsPage feed={feed} open={open} sources={sources} />
      ) : path === '/watches' ? (
        <WatchesPage feed={feed} />
      ) : path === '/stats' ? (
        <StatsPage />
      ) : path === '/sources' ? (
        <LazySourcesPage sources={sources} />
      ) : path === '/links' ? (
        <LinksPage />
      ) : path === '/rules' ? (
        <RulesPage />
      ) : path === '/comparison' ? (
        <ComparisonPage />
      ) : path === '/registrations' ? (
        <RegistrationsPage />
      ) : path === '/trunks' ? (
        <DirectoryPage />
      ) : path === '/exports' ? (
        <LazyExportsPage capture={capture} />
      ) : (
        <main class="empty">
          <h1>There is no such page</h1>
          <a class="button" href="/capture">
            To the capture
          </a>
        </main>
      )}
      <FileDrop />
      <LazyNotices />
      <StatusLine link={feed.link.value} sources={sources} unreadable={feed.unreadable.value} />
      {accessRefused.value && (
        <LazyAccessDialog
          wrong={accessToken.value !== ''}
          onToken={() => {
            feed.reconnect()
            capture.restart()
            void sources.load()
            if (open.target.peek() !== null) open.retry()
          }}
        />
      )}
    </div>
  )
}

const CallsPage = lazyPage(() => import('./views/calls/calls-page.tsx').then((part) => part.CallsPage))
const WatchesPage = lazyPage(() =>
  import('./views/watches/watches-page.tsx').then((part) => part.WatchesPage),
)
const StatsPage = lazyPage(() => import('./views/stats/stats-page.tsx').then((part) => part.StatsPage))

const RulesPage = lazyPage(() => import('./views/rules/rules-page.tsx').then((part) => part.RulesPage))
const ComparisonPage = lazyPage(() =>
  import('./views/comparison/comparison-page.tsx').then((part) => part.ComparisonPage),
)

const loadSourcesPage = () => import('./views/sources/sources-page.tsx')

function LazySourcesPage({ sources }: { sources: SourcesModel }) {
  const { part, failed } = useLazyPart(loadSourcesPage, true)
  if (part !== null) return <part.SourcesPage sources={sources} />
  return <main class="empty">{failed ? 'This page could not be loaded. Reload it.' : 'Loading …'}</main>
}

const loadExportsPage = () => import('./views/exports/exports-page.tsx')

function LazyExportsPage({ capture }: { capture: CaptureModel }) {
  const { part, failed } = useLazyPart(loadExportsPage, true)
  if (part !== null) return <part.ExportsPage capture={capture} />
  return <main class="empty">{failed ? 'This page could not be loaded. Reload it.' : 'Loading …'}</main>
}

const LinksPage = lazyPage(() => import('./views/links/links-page.tsx').then((part) => part.LinksPage))

const RegistrationsPage = lazyPage(() =>
  import('./views/registrations/registrations-page.tsx').then((part) => part.RegistrationsPage),
)
const DirectoryPage = lazyPage(() =>
  import('./views/directory/directory-page.tsx').then((part) => part.DirectoryPage),
)

const loadAccessDialog = () => import('./components/access-dialog.tsx')

function LazyAccessDialog(props: { wrong: boolean; onToken: () => void }) {
  const { part } = useLazyPart(loadAccessDialog, true)
  return part === null ? null : <part.AccessDialog {...props} />
}

const loadNotices = () => import('./components/notice-tray.tsx')

function LazyNotices() {
  const { part } = useLazyPart(loadNotices, notices.value.length > 0)
  return part === null ? null : <part.NoticeTray />
}

/** Links inside the page do not reload it; downloads, other hosts and new tabs are the browser's. */
function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (link === null || link.hasAttribute('download') || link.origin !== window.location.origin) return
  event.preventDefault()
  navigate(link.pathname, new URLSearchParams(link.search))
  window.scrollTo(0, 0)
}
