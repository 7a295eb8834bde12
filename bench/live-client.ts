import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A page as far as the API sees it: one WebSocket with a filter. */
export interface LiveClient {
  /** Rows that came. */
  readonly rows: number
  /** Rows that the API says it left out. */
  readonly missed: number
  close(): void
}

export async function openLiveClient(
  origin: string,
  filter: Readonly<Record<string, unknown>>,
  onFrame?: (text: string, atMillis: number) => void,
): Promise<LiveClient> {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/ws`, { perMessageDeflate: false })
  const counts = { rows: 0, missed: 0 }
  await once(socket, 'open')
  socket.on('message', (data: Buffer) => {
    const atMillis = performance.timeOrigin + performance.now()
    if (data.subarray(0, 14).equals(gapStart)) counts.missed += readMissed(data)
    if (!data.subarray(0, 12).equals(rowsStart)) return
    counts.rows += countRows(data)
    onFrame?.(data.toString('utf8'), atMillis)
  })
  socket.send(JSON.stringify({ type: 'subscribe', filter }))
  return {
    get rows() {
      return counts.rows
    },
    get missed() {
      return counts.missed
    },
    close: () => socket.terminate(),
  }
}

const rowsStart = Buffer.from('{"type":"sip')
const gapStart = Buffer.from('{"type":"gap",')

/** Every row has one, and a colon outside a text follows the name. Reading all JSON would cost as much as making it. */
const rowMark = Buffer.from('"sightingKey":')

function countRows(data: Buffer): number {
  let rows = 0
  for (let at = data.indexOf(rowMark); at >= 0; at = data.indexOf(rowMark, at + rowMark.length)) rows += 1
  return rows
}

const readMissed = (data: Buffer): number => Number(/"missed":(\d+)/.exec(data.toString('utf8'))?.[1] ?? 0)
