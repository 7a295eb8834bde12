import { join } from 'node:path'
import { repositoryFolder } from './repository.ts'

export const serviceNames = ['ami-bridge', 'capture-sidecar', 'api', 'ui'] as const
export type ServiceName = (typeof serviceNames)[number]

/**
 * What Node is started with. The API judges calls as they run, and with V8's usual 16 MB it copies what it knows of them
 * again and again; and since bytes from Redis count as old space, all of that would be collected every few seconds under load,
 * not when it is three times what the last time left. The sidecar's frames live outside of V8's heap, so a small young
 * generation costs it nothing and saves the PBX host some 20 MB. What sidecar and bridge hold is so little that to wake other
 * threads for a collection costs more than they do.
 */
export const nodeArguments: Readonly<Partial<Record<ServiceName, readonly string[]>>> = {
  api: ['--max-semi-space-size=32', '--heap-growing-percent=200'],
  'ami-bridge': ['--single-threaded-gc'],
  'capture-sidecar': ['--max-semi-space-size=2', '--single-threaded-gc'],
}

export const serviceFolder = (name: ServiceName): string => join(repositoryFolder, 'services', name)

/** Starts a service that is built, in its folder. `more`: for Node, not for the service. */
export function serviceCommand(
  name: ServiceName,
  more: readonly string[] = [],
): readonly [string, ...string[]] {
  return [process.execPath, ...(nodeArguments[name] ?? []), ...more, 'build/main.js']
}
