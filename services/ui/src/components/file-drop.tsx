import { useEffect, useRef, useState } from 'preact/hooks'
import { importsChanged, notify } from '../state/notices.ts'

const loadUpload = () => import('../state/upload.ts')

function take(list: FileList | undefined): void {
  // Copied now: the list is emptied with the event, or when the field is reset.
  const files = [...(list ?? [])]
  if (files.length === 0) return
  loadUpload().then(
    ({ takeFiles }) => takeFiles(files, () => (importsChanged.value += 1)),
    // The page's server has a newer build: its parts have other names.
    () => notify({ level: 'error', text: 'This part of the page could not be loaded. Reload the page.' }),
  )
}

/** A capture file may be dropped anywhere on the page. */
export function FileDrop() {
  const [over, setOver] = useState(false)
  useEffect(() => {
    const carries = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true
    const onOver = (event: DragEvent) => {
      if (!carries(event)) return
      event.preventDefault()
      setOver(true)
    }
    // Leaving an element for its child is no leaving; leaving the window goes to nowhere.
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false)
    }
    const onDrop = (event: DragEvent) => {
      setOver(false)
      if (!carries(event)) return
      event.preventDefault()
      take(event.dataTransfer?.files)
    }
    window.addEventListener('dragover', onOver)
    window.addEventListener('dragleave', onLeave)
    window.addEventListener('drop', onDrop)
    return () => {
      window.removeEventListener('dragover', onOver)
      window.removeEventListener('dragleave', onLeave)
      window.removeEventListener('drop', onDrop)
    }
  }, [])
  return over ? <div class="drop-here">Drop a pcap or pcapng file to open it</div> : null
}

/** The same by hand. */
export function FileButton() {
  const field = useRef<HTMLInputElement>(null)
  return (
    <>
      <button
        type="button"
        class="button"
        title="Open a pcap or pcapng file; it can also be dropped anywhere on the page"
        onClick={() => field.current?.click()}
      >
        Open a file …
      </button>
      <input
        ref={field}
        type="file"
        hidden
        multiple
        aria-label="Capture file"
        onChange={(event) => {
          take(event.currentTarget.files ?? undefined)
          event.currentTarget.value = ''
        }}
      />
    </>
  )
}
