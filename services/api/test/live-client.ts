import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serverFrame, type ClientFrame, type ServerFrame } from '@sip-capture/contract/live.ts'
import type { MessageRow } from '@sip-capture/contract/rest/message.ts'
import { WebSocket, type ClientOptions } from 'ws'
import type { ApiUnderTest } from './api-under-test.ts'

export interface LiveClient {
  readonly socket: WebSocket
  /** All frames so far, each checked against the contract. */
  readonly frames: ServerFrame[]
  rows(): MessageRow[]
  /** The position behind the last row, else that of `hello`. */
  position(): string
  send(frame: ClientFrame): void
}

export async function listen(api: Pick<ApiUnderTest, 'app'>): Promise<number> {
  const address = api.app.server.address() as AddressInfo | null
  if (address) return address.port
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  return (api.app.server.address() as AddressInfo).port
}

/** A real WebSocket to the service, open. */
export async function follow(
  api: Pick<ApiUnderTest, 'app'>,
  options: { protocols?: string[]; client?: ClientOptions } = {},
): Promise<LiveClient> {
  const port = await listen(api)
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, options.protocols ?? [], options.client)
  const frames: ServerFrame[] = []
  socket.on('message', (data: Buffer) => frames.push(serverFrame.parse(JSON.parse(data.toString()))))
  await once(socket, 'open')
  return {
    socket,
    frames,
    rows: () => frames.flatMap((frame) => ('items' in frame && 'position' in frame ? frame.items : [])),
    position() {
      const positions = frames.flatMap((frame) => ('position' in frame ? [frame.position] : []))
      return positions.at(-1) ?? ''
    },
    send: (frame) => socket.send(JSON.stringify(frame)),
  }
}
