import { useRef } from 'preact/hooks'

const step = 4

/** A bar between two panes: dragged, or moved with the arrow keys. `percent` is the share of the lower pane. */
export function Splitter({ percent, onChange }: { percent: number; onChange: (percent: number) => void }) {
  const dragging = useRef(false)
  const set = (value: number) => onChange(Math.min(85, Math.max(20, value)))
  return (
    <div
      class="splitter"
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of the detail pane"
      aria-valuenow={Math.round(percent)}
      aria-valuemin={20}
      aria-valuemax={85}
      tabIndex={0}
      onPointerDown={(event) => {
        dragging.current = true
        event.currentTarget.setPointerCapture(event.pointerId)
      }}
      onPointerMove={(event) => {
        const area = event.currentTarget.parentElement?.getBoundingClientRect()
        if (dragging.current && area) set(((area.bottom - event.clientY) / area.height) * 100)
      }}
      onPointerUp={() => {
        dragging.current = false
      }}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
        event.preventDefault()
        event.stopPropagation()
        set(percent + (event.key === 'ArrowUp' ? step : -step))
      }}
    />
  )
}
