import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { serviceFolder, serviceNames, type ServiceName } from '../service-command.ts'
import { ensureBuilt } from './ensure-built.ts'

/** Programs of a service: what they become → their source, in the service's folder. */
const programs: Readonly<Record<ServiceName, Readonly<Record<string, string>>>> = {
  'ami-bridge': { main: 'src/main.ts' },
  'capture-sidecar': { main: 'src/main.ts', 'packet-reader': 'src/packet-reader/main.ts' },
  api: { main: 'src/main.ts', worker: 'src/history/worker.ts', writer: 'src/history/writer.ts' },
  ui: { main: 'server.ts' },
}

/** Packages that look for files of their own beside them. */
const leftOutside = ['chdb', 'koffi', '@fastify/swagger-ui']

/**
 * The services as Node runs them: the sources work as they are, but to find, read and strip their thousand small files costs
 * each process a second of processor time, and a bundle of them a quarter of that.
 */
export async function ensureServicesBuilt(): Promise<void> {
  await ensureBuilt({
    what: 'the services',
    built: serviceNames.map((name) => `services/${name}/build/main.js`),
    sources: [
      ...serviceNames.map((name) => `services/${name}/${name === 'ui' ? 'server' : 'src'}`),
      'services/ui/server.ts',
      'packages/contract/src',
      'packages/pcap/src',
      'packages/service/src',
      'packages/sip/src',
      'infra/build',
      'pnpm-lock.yaml',
    ],
    make: async () => {
      for (const name of serviceNames) await bundle(name)
    },
  })
}

async function bundle(name: ServiceName): Promise<void> {
  const folder = serviceFolder(name)
  const build = await rolldown({
    cwd: folder,
    input: programs[name],
    platform: 'node',
    external: leftOutside,
    logLevel: 'silent',
  })
  try {
    await build.write({ dir: join(folder, 'build'), format: 'esm', cleanDir: true })
  } finally {
    await build.close()
  }
}
