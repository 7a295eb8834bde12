import { CaptureModel } from './capture.ts'
import { LiveFeed } from './live-feed.ts'
import { OpenCallModel } from './open-call.ts'
import { SourcesModel } from './sources.ts'

/** The page's state, wired: the feed's frames go to whom they concern. */
export function createModels(
  socketUrl: string,
  options: { capacity?: number; firstPauseMillis?: number } = {},
) {
  const sources = new SourcesModel()
  const open = new OpenCallModel()
  const feed: LiveFeed = new LiveFeed({
    url: socketUrl,
    ...(options.firstPauseMillis === undefined ? {} : { firstPauseMillis: options.firstPauseMillis }),
    onFrame(frame) {
      if (frame.type === 'source:status') sources.take({ items: frame.items, api: frame.api })
      else if (frame.type === 'call:updated') open.onUpdated(frame.callIds)
      else if (frame.type === 'watch:matched')
        // Where the script cannot be had, the page of watches has the list.
        void import('./watch-news.ts').then((news) => news.tellMatches(frame)).catch(() => {})
      else capture.onFrame(frame)
    },
    onRefused() {
      void sources.load()
    },
  })
  const capture: CaptureModel = new CaptureModel(feed, options.capacity)
  return { feed, capture, open, sources }
}
