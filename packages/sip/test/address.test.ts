import t from 'tap'
import { canonicalHeaderName, headerSpelling } from '../src/headers.ts'
import { nameAddressParameter, parseNameAddress } from '../src/name-address.ts'
import { parseParameters, splitList, unquote } from '../src/parameters.ts'
import { toPrintable } from '../src/printable.ts'
import { parseHostPort, parseUri, parseUser, parseUserHost } from '../src/uri.ts'

t.test('name-addr and addr-spec: parameters go where RFC 3261 20.10 puts them', async (t) => {
  t.match(parseNameAddress('sip:a@b;tag=1'), { uri: 'sip:a@b', user: 'a', host: 'b', tag: '1' })
  t.match(parseNameAddress('<sip:a@b;tag=2>'), { uri: 'sip:a@b;tag=2', tag: '' })
  t.match(parseNameAddress('caller<sip:a@b>;tag=3'), { displayName: 'caller', tag: '3' })
  t.match(parseNameAddress('"" <sip:a@b>;TAG=4'), { displayName: '', tag: '4' })
  t.match(parseNameAddress('sip:a@b;x="<y>";tag=5'), { uri: 'sip:a@b', tag: '5' })
  t.match(parseNameAddress('Bell, Alexander <sip:a@b>'), { displayName: 'Bell, Alexander', uri: 'sip:a@b' })
  t.match(parseNameAddress('"never closed <sip:a@b>;tag=6'), { uri: 'sip:a@b', tag: '6' })
  t.match(parseNameAddress('<sip:a@b'), { uri: 'sip:a@b', user: 'a' })
  t.match(parseNameAddress('*'), { uri: '*', user: '', host: '' })
  t.match(parseNameAddress(''), { uri: '', tag: '' })
  t.match(parseNameAddress('<sip:user;par=u%40example.net@example.com>'), {
    user: 'user;par=u%40example.net',
  })
  t.equal(nameAddressParameter('<sip:a@b;expires=1>;q=0.5;Expires="60"', 'expires'), '60')
  t.equal(nameAddressParameter('<sip:a@b;expires=1>', 'expires'), undefined)
})

t.test('URIs: IPv6 literals, ports, passwords, tel', async (t) => {
  t.match(parseUri('sip:bob@[2001:db8::10]:5070;transport=tcp?Subject=x'), {
    scheme: 'sip',
    user: 'bob',
    host: '2001:db8::10',
    port: 5070,
  })
  t.equal(parseUri('sip:bob@[2001:db8::10]:5070;transport=tcp?Subject=x').parameters.get('transport'), 'tcp')
  t.match(parseUri('sips:[2001:db8::10]'), { scheme: 'sips', user: '', host: '2001:db8::10', port: null })
  t.match(parseUri('sip:2001:db8::10'), { host: '2001:db8::10', port: null })
  t.match(parseUri('tel:+49301234;phone-context=example.com'), { scheme: 'tel', user: '+49301234', host: '' })
  t.match(parseUri('sip:a:b@c:99999'), { user: 'a', host: 'c', port: null })
  t.match(parseUri('http://x'), { scheme: 'http', user: '', host: '' })
  t.match(parseUri(''), { scheme: '', host: '' })
  t.match(parseHostPort('[::1'), { host: '::1', port: null })
})

t.test('parameters and lists respect quotes', async (t) => {
  t.same(
    [...parseParameters(';a=1;B="x;y,\\"z\\"";flag; c = 2 ;a=9')],
    [
      ['a', '1'],
      ['b', 'x;y,"z"'],
      ['flag', ''],
      ['c', '2'],
    ],
  )
  t.same(splitList('a, "b,c" <sip:x,y>;q=1 ,, d'), ['a', '"b,c" <sip:x,y>;q=1', 'd'])
  t.same(splitList('a,b,c', 2), ['a', 'b'])
  t.equal(unquote(' "a\\\\b" '), 'a\\b')
})

t.test('header names: compact, any case, unknown', async (t) => {
  t.equal(canonicalHeaderName('v'), 'via')
  t.equal(canonicalHeaderName('V'), 'via')
  t.equal(canonicalHeaderName('cAlL-iD'), 'call-id')
  t.equal(canonicalHeaderName('X-Foo'), 'x-foo')
  t.equal(headerSpelling('call-id'), 'Call-ID')
  t.equal(headerSpelling('x-foo'), 'x-foo')
})

t.test('foreign text in a sentence cannot forge a line or turn the reading direction', async (t) => {
  t.equal(toPrintable('a\r\nb\x1b[31m\u202Ec\u2028'), 'a\\x0d\\x0ab\\x1b[31m\\u{202e}c\\u{2028}')
  t.equal(toPrintable('x'.repeat(100), 10), `${'x'.repeat(10)}…`)
  t.equal(toPrintable('<b>Jörg ☎</b>'), '<b>Jörg ☎</b>', 'markup stays text; the page escapes it')
})

t.test('the user alone is the user of both', async (t) => {
  for (const [uri, user] of [
    ['sip:alice@example.com', 'alice'],
    ['sips:alice:secret@example.com;user=phone', 'alice'],
    ['SIP:alice@example.com', 'alice'],
    ['sip:example.com:5060', ''],
    ['tel:+49301234;phone-context=x', '+49301234'],
    ['TEL:110?x', '110'],
    ['http://alice@example.com', ''],
    ['alice@example.com', ''],
    [':alice@example.com', ''],
    ['sip:', ''],
    ['', ''],
  ] as const) {
    t.equal(parseUser(uri), user, uri)
    t.equal(parseUserHost(uri).user, user, uri)
  }
})
