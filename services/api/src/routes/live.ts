import type { FastifyPluginCallback } from 'fastify'
import type { Hub } from '../live/hub.ts'

/** RFC 6455 7.4.1 and its registry: try again later. */
const tryAgainLater = 1013

export const liveRoutes: FastifyPluginCallback<{ hub: Hub }> = (app, { hub }, done) => {
  app.get('/ws', { websocket: true, config: { rateLimit: false } }, (socket) => {
    if (!hub.accept(socket)) socket.close(tryAgainLater, 'too many browsers follow live already')
  })
  done()
}
