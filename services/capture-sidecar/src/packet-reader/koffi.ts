import type koffi from 'koffi'

/** The module that calls C functions. */
export type Koffi = typeof koffi

/** In native memory. */
export type Address = bigint

/** Calls back when a descriptor is as asked, until it is stopped; libuv makes it one that does not block. */
export interface DescriptorWatch {
  start(events: { readable?: boolean; writable?: boolean; disconnect?: boolean }): void
  stop(): void
}

/**
 * `onEvent`: whether the descriptor is at fault, by which the watch has stopped itself, or was closed at its other end. It must not
 * throw, and no promise is resolved until something else happens: it is called from C.
 */
export function watchDescriptor(
  koffi: Koffi,
  descriptor: number,
  onEvent: (isFaulty: boolean, isClosed: boolean) => void,
): DescriptorWatch {
  // Its types leave the first argument out.
  const callback = (...[status, { disconnect }]: [number, { disconnect: boolean }]): void =>
    onEvent(status < 0, disconnect)
  const typed = callback as unknown as Parameters<typeof koffi.node.poll>[1] & (() => void)
  const handle = koffi.node.poll(descriptor, { disconnect: true }, typed)
  handle.stop()
  return {
    start: (events) => handle.start(events, typed),
    stop: () => handle.stop(),
  }
}
