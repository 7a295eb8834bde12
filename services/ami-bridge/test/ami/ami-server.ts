import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A socket that speaks recorded AMI: what a real Asterisk cannot be made to say at will. */
export interface AmiServer {
  readonly port: number
  readonly received: string[]
  /** Times of the connects, for pauses. */
  readonly connects: number
  send(text: string): void
  /** Ends the connections behind what was sent. */
  endClients(): void
  close(): Promise<void>
}

export interface AmiScript {
  readonly banner?: string
  /** Answer to an action, by its fields; undefined: silence. */
  readonly answer?: (fields: ReadonlyMap<string, string>) => string | undefined
  readonly onConnect?: (socket: Socket) => void
}

export async function startAmiServer(script: AmiScript = {}): Promise<AmiServer> {
  const sockets = new Set<Socket>()
  const received: string[] = []
  let connects = 0
  const server = createServer((socket) => {
    connects += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    script.onConnect?.(socket)
    if (socket.destroyed) return
    socket.write(script.banner ?? 'Asterisk Call Manager/11.0.0\r\n')
    let carry = ''
    socket.on('data', (chunk) => {
      carry += chunk.toString('latin1')
      for (let end = carry.indexOf('\r\n\r\n'); end >= 0; end = carry.indexOf('\r\n\r\n')) {
        const text = carry.slice(0, end)
        carry = carry.slice(end + 4)
        received.push(text)
        const fields = new Map(text.split('\r\n').map((line) => line.split(': ', 2) as [string, string]))
        const answer = (script.answer ?? accept)(fields)
        if (answer !== undefined)
          socket.write(answer.replaceAll('$ID', fields.get('ActionID') ?? ''), 'latin1')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    received,
    get connects() {
      return connects
    },
    send: (text) => {
      for (const socket of sockets) socket.write(text, 'latin1')
    },
    endClients: () => {
      for (const socket of sockets) socket.end()
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

export const accept = (_fields: ReadonlyMap<string, string>): string | undefined =>
  'Response: Success\r\nActionID: $ID\r\nMessage: fine\r\n\r\n'
