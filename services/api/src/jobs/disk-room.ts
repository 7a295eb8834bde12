import { stat, statfs } from 'node:fs/promises'
import type { ApiConfig } from '../config.ts'

/** Kept for history: on a full disk it could not store what is captured meanwhile. */
const reserveBytes = 256 * 1024 * 1024

/** Why nothing more may be written to `folder`, in one sentence; undefined while it may, or where history is elsewhere. */
export async function describeLackOfRoom(
  config: Pick<ApiConfig, 'DATA_DIR' | 'HISTORY_URL'>,
  folder: string,
  setting: 'EXPORT_DIR' | 'DATA_DIR',
): Promise<string | undefined> {
  if (config.HISTORY_URL !== undefined) return undefined
  const [own, history] = await Promise.all([stat(folder), stat(config.DATA_DIR)])
  if (own.dev !== history.dev) return undefined
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= reserveBytes) return undefined
  return (
    `less than ${reserveBytes / 1024 ** 2} MiB are left on the disk of DATA_DIR, which history needs: ` +
    `free some space, or set ${setting} to a larger disk`
  )
}
