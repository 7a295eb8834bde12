import { useEffect, useState } from 'preact/hooks'

/** A part of the page in a script of its own. `null` until it is there; `failed` when the page's server has gone or changed. */
export function useLazyPart<T>(load: () => Promise<T>, wanted: boolean): { part: T | null; failed: boolean } {
  const [part, setPart] = useState<{ value: T } | null>(null)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    if (!wanted || part !== null) return
    load().then(
      (value) => setPart({ value }),
      () => setFailed(true),
    )
  }, [wanted])
  return { part: part?.value ?? null, failed }
}
