import { captureShardSettings } from '@sip-capture/service/capture-shards.ts'
import { commonSettings } from '@sip-capture/service/config.ts'
import { z } from 'zod'
import { parsePorts } from './port-list.ts'

const maxInterfaces = 16
/** The packet reader, or tshark where it cannot be used. */
export const autoCommand = 'auto'

export const settings = z.object({
  ...commonSettings,
  ...captureShardSettings,
  TSHARK_ENABLED: z.stringbool('true or false').default(false),
  /** Names as `tshark -D` shows them, by commas; or the path of a capture file or a named pipe. */
  TSHARK_INTERFACE: z
    .string()
    .default('any')
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(
      z
        .array(
          z
            .string()
            .min(1, 'a name is missing between two commas')
            .max(4096)
            // The name is an argument of a program: it must not read as an option.
            .regex(/^[^-\s\p{Cc}][^\s\p{Cc}]*$/u, 'a name without blanks that does not start with "-"'),
        )
        .max(maxInterfaces),
    ),
  /** Ports and ranges by commas: `5060,5080,6000-6010`. */
  TSHARK_PORT: z
    .string()
    .default('5080')
    .transform((text, context) => {
      const ports = parsePorts(text)
      if (typeof ports !== 'string') return ports
      context.addIssue({ code: 'custom', message: ports })
      return z.NEVER
    }),
  /** A capture filter in pcap-filter(7) words, in place of the one built from TSHARK_PORT. */
  TSHARK_FILTER: z.string().max(8192).optional(),
  TSHARK_COMMAND: z.string().max(4096).default(autoCommand),
})

export type SidecarConfig = Readonly<z.output<typeof settings>>
