import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/**
 * A port of `address` that is free for TCP and UDP at this moment. The kernel picks it, so that instances started side
 * by side do not meet; between this answer and the use of the port another process may still take it.
 */
export async function findFreePort(address = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = await takeTcpPort(address)
    if (await isUdpPortFree(address, port)) return port
  }
  throw new Error(`no port of ${address} is free for both TCP and UDP`)
}

/** Whether a TCP listener can be opened on the address and port now; the answer names the error code if it cannot. */
export function probeTcpPort(
  address: string,
  port: number,
): Promise<{ free: true } | { free: false; code: string }> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ free: false, code: error.code ?? error.message })
    })
    server.listen({ host: address, port, exclusive: true }, () => {
      server.close(() => {
        resolve({ free: true })
      })
    })
  })
}

function takeTcpPort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, address, () => {
      const bound = server.address()
      const port = typeof bound === 'object' && bound !== null ? bound.port : 0
      server.close(() => {
        resolve(port)
      })
    })
  })
}

function isUdpPortFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', () => {
      resolve(false)
    })
    socket.bind({ address, port, exclusive: true }, () => {
      socket.close(() => {
        resolve(true)
      })
    })
  })
}
