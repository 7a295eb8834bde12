import type { Entry, Place } from './fault.ts'
import { pbxOutside } from './nat.ts'
import { makeCertificate } from './tls-stranger.ts'

const media = 'media_address=127.0.0.1\nbind_rtp_to_media_address=yes'

function section(name: string, type: string, ...lines: (string | false | undefined)[]): string {
  return [
    `[${name}]`,
    `type=${type}`,
    ...lines.filter((line) => line !== undefined && line !== false),
    '',
  ].join('\n')
}

function endpoint(name: string, context: string, ...lines: (string | false | undefined)[]): string {
  return section(
    name,
    'endpoint',
    `context=${context}`,
    'disallow=all',
    'allow=ulaw',
    'direct_media=no',
    media,
    ...lines,
  )
}

/** The transports that the laboratory has beside those of every test PBX: towards the NAT, and TLS with a certificate made
 *  for it in that folder, which is the only one that it trusts. */
export function transports(folder: string): string {
  const { key, certificate } = makeCertificate(folder, 'laboratory')
  return [
    section('transport-outside', 'transport', 'protocol=udp', `bind=${pbxOutside}:5060`),
    section(
      'transport-tls',
      'transport',
      'protocol=tls',
      'bind=127.0.0.1:5061',
      `cert_file=${certificate}`,
      `priv_key_file=${key}`,
      'method=tlsv1_2',
      `ca_list_file=${certificate}`,
      'verify_server=yes',
    ),
  ].join('\n')
}

/** Sections of pjsip.conf: the caller's endpoint and AOR have the entry's name, those of the called side `<name>-trunk`. */
export function pjsipOf(entry: Entry, place: Place): string {
  const { settings = {}, caller, called, isBehindNat, isCalledOverTls } = entry
  const { name, callerAddress, calledAddress } = place
  const trunk = `${name}-trunk`
  const parts: string[] = []
  if (caller && settings.isIdentified !== false)
    parts.push(
      endpoint(
        name,
        name,
        `aors=${name}`,
        settings.auth && `auth=${name}`,
        isBehindNat && `transport=transport-outside\nmedia_address=${pbxOutside}`,
        settings.endpoint,
      ),
      section(name, 'identify', `endpoint=${name}`, `match=${callerAddress}`),
      section(name, 'aor', 'max_contacts=5', settings.aor),
    )
  if (settings.isDenied)
    parts.push(section(`${name}-acl`, 'acl', 'permit=0.0.0.0/0.0.0.0', `deny=${callerAddress}/32`))
  if (settings.auth) parts.push(section(name, 'auth', `username=${name}`, settings.auth))
  if (called || isCalledOverTls)
    parts.push(
      endpoint(
        trunk,
        name,
        `aors=${trunk}`,
        settings.trunkAuth && `outbound_auth=${trunk}`,
        isCalledOverTls && 'transport=transport-tls',
        settings.trunk,
      ),
      section(trunk, 'identify', `endpoint=${trunk}`, `match=${calledAddress}`),
      section(trunk, 'aor', `contact=${contactOf(entry, calledAddress)}`, settings.trunkAor),
    )
  if (settings.trunkAuth) parts.push(section(trunk, 'auth', settings.trunkAuth))
  return parts.join('\n')
}

function contactOf({ transport, isCalledOverTls }: Entry, address: string): string {
  if (isCalledOverTls) return `sip:${address}:5061\\;transport=tls`
  return `sip:${address}:5060${transport === 'tcp' ? '\\;transport=tcp' : ''}`
}

/** The section that makes Asterisk register. */
export function registrationOf({ settings }: Entry, { name, calledAddress }: Place): string {
  return section(
    name,
    'registration',
    `server_uri=sip:${calledAddress}`,
    `client_uri=sip:us@${calledAddress}`,
    settings?.trunkAuth && `outbound_auth=${name}-trunk`,
    settings?.registration,
  )
}

export function dialplanOf({ dialplan, dialSeconds = 60 }: Entry, { name }: Place): string {
  const dial = `exten => 100,1,Dial(PJSIP/100@${name}-trunk,${dialSeconds})\n same => n,Hangup()`
  return `[${name}]\n${dialplan ?? dial}\n`
}
