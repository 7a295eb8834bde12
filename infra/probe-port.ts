import { createServer } from 'node:net'

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
