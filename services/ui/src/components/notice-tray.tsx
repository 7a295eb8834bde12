import { closeNotice, notices } from '../state/notices.ts'
import { Progress } from './progress.tsx'

/** In the corner of every page: what goes on, what was done, and how to take it back. */
export function NoticeTray() {
  return (
    <section class="notices" aria-label="Notices" aria-live="polite">
      {notices.value.map(({ id, level, text, progress, link, action }) => (
        <div
          key={id}
          class={`notice-card is-${level}`}
          data-testid="notice"
          role={level === 'error' ? 'alert' : undefined}
        >
          <p class="notice-text">
            {level === 'error' && <b>! </b>}
            {text}
          </p>
          {progress !== undefined && <Progress value={progress} label={text} />}
          <p class="actions">
            {link !== undefined && (
              <a class="button" href={link.href} onClick={() => closeNotice(id)}>
                {link.label}
              </a>
            )}
            {action !== undefined && (
              <button type="button" class="button" onClick={() => action.run()}>
                {action.label}
              </button>
            )}
            {progress === undefined && (
              <button
                type="button"
                class="button"
                aria-label="Close this notice"
                onClick={() => closeNotice(id)}
              >
                Close
              </button>
            )}
          </p>
        </div>
      ))}
    </section>
  )
}
