import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/** Below the ports that the kernel gives to connections and sockets of their own, and above those that test PBXs take for RTP. */
const firstPort = 20_480
const lastPort = 32_766

/** Given out by this process, whether they are in use yet or not. */
const given = new Set<number>()

/**
 * A port of `address` that is free for TCP and UDP, as is the one after the next, which SIPp takes with its media port. Never
 * the same twice; drawn at random, so that processes side by side hardly meet.
 */
export async function findFreePort(address = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    const port = randomInt(firstPort / 2, lastPort / 2) * 2
    if (given.has(port) || given.has(port - 2) || given.has(port + 2)) continue
    if (!(await isFree(address, port)) || !(await isUdpPortFree(address, port + 2))) continue
    given.add(port)
    return port
  }
  throw new Error(`no port of ${address} is free for both TCP and UDP`)
}

const isFree = async (address: string, port: number): Promise<boolean> =>
  (await isTcpPortFree(address, port)) && (await isUdpPortFree(address, port))

function isTcpPortFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

function isUdpPortFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', () => {
      socket.close()
      resolve(false)
    })
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(true)))
  })
}
