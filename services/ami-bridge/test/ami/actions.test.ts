import t from 'tap'
import { createActionId, encodeAction } from '../../src/ami/actions.ts'

t.test('a value with a line end, NUL or another control character is refused, nothing is written', (t) => {
  for (const evil of ['a\r\nAction: Originate', 'a\nb', 'a\rb', 'a\0b', 'a\u001bb', 'a\u0085b'])
    t.match(encodeAction('Getvar', '1', [['Channel', evil]]), {
      ok: false,
      problem: /Channel holds a control/,
    })
  t.equal(encodeAction('Getvar', '1', [['Channel', 'x'.repeat(2_000)]]).ok, false)
  t.end()
})

t.test('an action is a block of lines', (t) => {
  const encoded = encodeAction('Getvar', 'id', [['Variable', 'CHANNEL(pjsip,call-id)']])
  t.equal(
    encoded.ok && encoded.bytes.toString(),
    'Action: Getvar\r\nActionID: id\r\nVariable: CHANNEL(pjsip,call-id)\r\n\r\n',
  )
  t.not(createActionId(), createActionId())
  t.match(createActionId(), /^[0-9a-f]{24}$/)
  t.end()
})
