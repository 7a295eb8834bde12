import { parseSdp } from '@sip-capture/sip/sdp.ts'
import { useMemo } from 'preact/hooks'
import { shownText } from '../../format/shown-text.ts'

const decoder = new TextDecoder()

/** What the media offer or answer says, readable; the lines themselves below. */
export function SdpView({ body }: { body: Uint8Array }) {
  const sdp = useMemo(() => parseSdp(body), [body])
  return (
    <div class="sdp">
      {sdp.origin !== null && (
        <p class="faint">
          Session {shownText(sdp.name || sdp.origin.sessionId)} by {shownText(sdp.origin.user)} at{' '}
          <span class="mono">{shownText(sdp.origin.address)}</span>, version {shownText(sdp.origin.version)}
        </p>
      )}
      {sdp.media.slice(0, 32).map((media, index) => (
        <div key={index} class="sdp-media">
          <p>
            <b>{shownText(media.kind)}</b>{' '}
            {media.port === 0 ? (
              <span class="warn">refused (port 0)</span>
            ) : (
              <span class="mono">
                {shownText(media.address)}:{media.port}
              </span>
            )}{' '}
            · {media.direction} · {shownText(media.protocol)}
          </p>
          <table>
            <tbody>
              {media.codecs.slice(0, 40).map((codec, order) => (
                <tr key={order}>
                  <td class="num">{shownText(codec.format)}</td>
                  <td>
                    {shownText(codec.name)}
                    {codec.clockRate !== null && ` ${codec.clockRate} Hz`}
                  </td>
                  <td class="mono faint">{shownText(codec.parameters)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ))}
      {sdp.problems.length > 0 && <p class="message-problems">{shownText(sdp.problems.join('; '))}</p>}
      <pre class="raw mono">
        {decoder
          .decode(body)
          .split(/\r?\n/)
          .slice(0, 400)
          .map((line) => `${shownText(line)}\n`)
          .join('')}
      </pre>
    </div>
  )
}
