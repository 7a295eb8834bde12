import { isIP } from 'node:net'
import { commonSettings, port } from '@sip-capture/service/config.ts'
import { z } from 'zod'

/** Characters that would end a line of the AMI protocol, and so start another header or action. */
const singleLine = z.string().regex(/^\P{Cc}*$/u, 'must not hold control characters')

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** `127.0.0.1:9060`, `[::1]:9060`. Port 0: any free one. */
const listenAddress = z.string().transform((text, context): ListenAddress => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2] ?? ''
  const number = Number(match?.[3])
  if (match && (isIP(host) !== 0 || host === 'localhost') && number <= 65_535) return { host, port: number }
  context.addIssue({ code: 'custom', message: 'an address and a port such as 127.0.0.1:9060 or [::1]:9060' })
  return z.NEVER
})

export const settings = z
  .object({
    ...commonSettings,
    AMI_HOST: singleLine.max(255).optional(),
    AMI_PORT: port.default(5038),
    AMI_USERNAME: singleLine.max(255).optional(),
    AMI_SECRET: singleLine.max(1024).optional(),
    AMI_TLS: z.stringbool('true or false').default(false),
    AMI_TAP: z.enum(['auto', 'events', 'hep', 'history', 'off']).default('auto'),
    HEP_LISTEN: listenAddress.default({ host: '127.0.0.1', port: 9060 }),
    HEP_PASSWORD: singleLine.max(1024).optional(),
    HEP_PROVISION: z.stringbool('true or false').default(false),
  })
  .superRefine((config, context) => {
    if (config.AMI_HOST === undefined) return
    for (const name of ['AMI_USERNAME', 'AMI_SECRET'] as const)
      if (config[name] === undefined)
        context.addIssue({ code: 'custom', path: [name], message: 'is not set, and AMI_HOST is' })
  })

export type Config = Readonly<z.output<typeof settings>>
