import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { sizeText } from '../format/number.ts'
import { accessToken } from '../state/access.ts'
import { getBlob } from '../state/api-client.ts'

/** A file of the API. Without a token a plain link; with one the page fetches, since a link cannot carry it. */
export function Download(props: { path: string; exportFormat?: string; children: ComponentChildren }) {
  const { path, exportFormat, children } = props
  const [state, setState] = useState('')
  if (accessToken.value === '')
    return (
      <a class="button" data-export={exportFormat} href={`/api/v1${path}`} download>
        {children}
      </a>
    )
  const download = async () => {
    setState('0 B …')
    const answer = await getBlob(path, (received) => setState(`${sizeText(received)} …`))
    if (!answer.ok) {
      setState(answer.problem.message)
      return
    }
    setState('')
    const url = URL.createObjectURL(answer.value.blob)
    const link = document.createElement('a')
    link.href = url
    link.download = answer.value.fileName
    link.click()
    // The browser has taken the blob once the click's task is over.
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
  }
  return (
    <>
      <button type="button" class="button" data-export={exportFormat} onClick={() => void download()}>
        {children}
      </button>
      {state !== '' && (
        <span class="num" role="status">
          {state}
        </span>
      )}
    </>
  )
}
