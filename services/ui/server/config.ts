import { ConfigError, port } from '@sip-capture/service/config.ts'
import { z } from 'zod'

export const settings = z.object({
  UI_HOST: z.string().min(1).max(255).default('127.0.0.1'),
  UI_PORT: port.default(3000),
  API_URL: z
    .url({ protocol: /^https?$/, error: 'a URL such as http://127.0.0.1:3001' })
    .default('http://127.0.0.1:3001'),
  /** Comma list: pages of these origins may show `/embed/…` in a frame. */
  ALLOWED_ORIGINS: z
    .string()
    .transform((text) => text.split(',').map((word) => word.trim()))
    .refine(
      (origins) => origins.every(isOrigin),
      'wants origins such as https://crm.example.org, separated by commas',
    )
    .default([]),
  /** Only whether it is set: the tokens are the API's business. */
  API_TOKENS: z.string().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})
export type UiConfig = Readonly<z.output<typeof settings>>

/** As `new URL` writes it: a path, a wildcard or a `;` would say something else in a Content-Security-Policy. */
function isOrigin(text: string): boolean {
  return (
    URL.canParse(text) &&
    /^https?:$/.test(new URL(text).protocol) &&
    // `*.example.org` is a name that `new URL` takes.
    !text.includes('*') &&
    new URL(text).origin === text.replace(/\/$/, '')
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

/**
 * A page server that others can reach would open an API that trusts its loopback neighbours.
 * @throws ConfigError
 */
export function checkExposure(config: UiConfig): void {
  if (isLoopback(config.UI_HOST) || config.API_TOKENS !== undefined) return
  if (!isLoopback(new URL(config.API_URL).hostname)) return
  throw new ConfigError(
    `UI_HOST: ${config.UI_HOST} opens the API to other machines; set API_TOKENS for both services, or API_TOKENS=none if everyone on that network may read the calls`,
  )
}
