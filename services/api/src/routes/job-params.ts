import { errorBody } from '@sip-capture/contract/rest/page.ts'
import { z } from 'zod'

/** Whatever is not an id of ours names nothing: the job is looked up by it, no path is made from it. */
export const jobParams = z.object({ id: z.string().max(1024) })

export const jobFailures = {
  400: errorBody,
  401: errorBody,
  403: errorBody,
  404: errorBody,
  413: errorBody,
  429: errorBody,
  503: errorBody,
  507: errorBody,
}
