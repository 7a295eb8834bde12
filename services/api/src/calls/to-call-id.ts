import type { History } from '../history/history-process.ts'

/** What a path names a call by → a Call-ID and its capture: our own id stands for the call's first Call-ID. */
export async function toCallId(
  history: History,
  id: string,
  capture: string | undefined,
): Promise<{ id: string; capture: string | undefined }> {
  if (!/^[0-9a-f]{32}$/.test(id)) return { id, capture }
  const found = await history.ask<'findCallRecord'>({ method: 'findCallRecord', id })
  if (!found || (capture !== undefined && capture !== found.row.capture)) return { id, capture }
  return { id: found.row.callIds[0] ?? id, capture: found.row.capture ?? undefined }
}
