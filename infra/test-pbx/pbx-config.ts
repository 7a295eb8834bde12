/** What differs between two test PBXs that run side by side. */
export interface PbxSettings {
  readonly tree: string
  readonly home: string
  readonly amiPort: number
  readonly amiUsername: string
  readonly amiSecret: string
  readonly sipPort: number
  readonly trunkPort: number
  readonly rtpStart: number
  readonly hep?: { readonly host: string; readonly port: number; readonly password?: string }
}

/** Loopback needs no set-up for these: the whole of 127.0.0.0/8 is there, and Asterisk tells callers apart by address. */
export const pbxAddress = '127.0.0.1'
export const phoneAddress = '127.0.0.2'
export const trunkAddress = '127.0.0.3'

/** Users that register with a password: user name → password. */
export const registeringUsers: Readonly<Record<string, string>> = {
  '6001': 'first-secret',
  '6002': 'second-secret',
}

/** The configuration files that are ours; all others stay as Debian ships them. */
export function pbxConfigFiles(settings: PbxSettings): Record<string, string> {
  return {
    'asterisk.conf': asteriskConf(settings),
    'modules.conf': modulesConf,
    'logger.conf':
      '[general]\ndateformat=%F %T.%3q\n[logfiles]\nmessages.log => notice,warning,error,security\n',
    'manager.conf': managerConf(settings),
    'pjsip.conf': pjsipConf(settings),
    'extensions.conf': extensionsConf,
    'queues.conf': queuesConf,
    'res_parking.conf': parkingConf,
    'rtp.conf': `[general]\nrtpstart=${settings.rtpStart}\nrtpend=${settings.rtpStart + 1999}\n`,
    'hep.conf': hepConf(settings),
    'http.conf': '[general]\nenabled=no\n',
  }
}

function asteriskConf({ tree, home }: PbxSettings): string {
  return `[directories]
astcachedir => ${home}/cache
astetcdir => ${home}/etc
astmoddir => ${tree}/usr/lib/${libraryTriplet()}/asterisk/modules
astvarlibdir => ${home}/lib
astdbdir => ${home}/lib
astkeydir => ${home}/lib
astdatadir => ${tree}/usr/share/asterisk
astagidir => ${tree}/usr/share/asterisk/agi-bin
astspooldir => ${home}/spool
astrundir => ${home}/run
astlogdir => ${home}/log
astsbindir => ${tree}/usr/sbin
[options]
documentation_language = en_US
`
}

/** Debian's name of this machine's library folder. */
export function libraryTriplet(arch: string = process.arch): string {
  return arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
}

/** As stock, less the drivers that bind a fixed port (two PBXs would collide) and the sample dialplans beside ours. */
const modulesConf = `[modules]
autoload=yes
load => res_musiconhold.so
noload => chan_alsa.so
noload => chan_console.so
noload => chan_oss.so
noload => chan_iax2.so
noload => chan_unistim.so
noload => chan_ooh323.so
noload => pbx_dundi.so
noload => pbx_ael.so
noload => pbx_lua.so
noload => app_directory_odbc.so
noload => res_config_odbc.so
noload => res_config_pgsql.so
noload => res_snmp.so
`

/** A stock Asterisk whose owner did one thing for us: made an AMI user with only the rights that are needed. */
function managerConf({ amiPort, amiUsername, amiSecret }: PbxSettings): string {
  return `[general]
enabled = yes
port = ${amiPort}
bindaddr = ${pbxAddress}

[${amiUsername}]
secret = ${amiSecret}
read = call,system,security,reporting
write = command,reporting,call,config,system
`
}

/** Media bound to "any" makes Asterisk look its own host name up in each call, which takes seconds where it has none. */
const mediaAddress = `media_address=${pbxAddress}
bind_rtp_to_media_address=yes`

function pjsipConf({ sipPort, trunkPort }: PbxSettings): string {
  const users = Object.entries(registeringUsers)
    .map(
      ([user, password]) => `
[${user}]
type=endpoint
context=from-phone
disallow=all
allow=ulaw,alaw
direct_media=no
${mediaAddress}
auth=${user}
aors=${user}
callerid=User ${user} <${user}>

[${user}]
type=auth
auth_type=userpass
username=${user}
password=${password}

[${user}]
type=aor
max_contacts=5
`,
    )
    .join('')
  return `[transport-udp]
type=transport
protocol=udp
bind=${pbxAddress}:${sipPort}

[transport-tcp]
type=transport
protocol=tcp
bind=${pbxAddress}:${sipPort}

[phone]
type=endpoint
context=from-phone
disallow=all
allow=ulaw,alaw
direct_media=no
${mediaAddress}

[phone]
type=identify
endpoint=phone
match=${phoneAddress}

[trunk]
type=endpoint
context=from-trunk
disallow=all
allow=ulaw,alaw
direct_media=no
${mediaAddress}
aors=trunk

[trunk]
type=aor
contact=sip:${trunkAddress}:${trunkPort}

[trunk]
type=identify
endpoint=trunk
match=${trunkAddress}
${users}`
}

/** 2xxx and 20… go out by the trunk, which decides by the number (see sipp/trunk.xml); 61x to 66x are the ways that calls get
 *  more legs than two; what is nowhere named answers 404. */
const extensionsConf = `[trunk-numbers]
exten => _2XXX,1,Dial(PJSIP/\${EXTEN}@trunk,60)
 same => n,Hangup()
exten => _2[09]X.,1,Dial(PJSIP/\${EXTEN}@trunk,60)
 same => n,Hangup()

[from-phone]
include => trunk-numbers
include => parkedcalls
exten => _600[12],1,Dial(PJSIP/\${EXTEN},30)
 same => n,Hangup()
exten => 600,1,Answer()
 same => n,Echo()
exten => 601,1,Answer()
 same => n,Milliwatt()
 same => n,Hangup()
exten => 602,1,Busy(5)
exten => 603,1,Ringing()
 same => n,Wait(60)
exten => 610,1,Dial(PJSIP/2480@trunk&PJSIP/2481@trunk&PJSIP/2110@trunk,60)
exten => 620,1,Queue(test,,,,20)
exten => 630,1,Dial(Local/2130@trunk-numbers/n,60)
exten => 631,1,Dial(Local/2131@trunk-numbers,60)
exten => 640,1,Park(default,sr)
exten => 650,1,Answer()
 same => n,ConfBridge(test)

[from-trunk]
include => trunk-numbers
exten => _600[12],1,Dial(PJSIP/\${EXTEN},30)
exten => 600,1,Answer()
 same => n,Echo()
`

/** Rings two: one answers, and one is a Local channel that rings on. */
const queuesConf = `[test]
strategy=ringall
timeout=30
retry=1
member => PJSIP/2120@trunk
member => Local/2482@trunk-numbers/n
`

const parkingConf = `[default]
parkext => 700
parkpos => 701-720
context => parkedcalls
parkingtime => 60
courtesytone =
`

function hepConf({ hep }: PbxSettings): string {
  if (hep === undefined) return '[general]\nenabled=no\n'
  const password = hep.password === undefined ? '' : `capture_password=${hep.password}\n`
  return `[general]
enabled=yes
capture_address=${hep.host}:${hep.port}
capture_id=1
uuid_type=channel
${password}`
}
