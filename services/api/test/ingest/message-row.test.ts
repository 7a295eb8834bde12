import t from 'tap'
import { viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

t.test('what pjsip printed twice is no oddity of the message, in any other source it is', async (t) => {
  const text = sipText({ extra: ['Content-Length: 0'] })
  t.same(viewOf(sipRecordOf(text)).row.problems, ['Content-Length is there 2 times'])
  t.same(viewOf(sipRecordOf(text, { source: 'ami-history' })).row.problems, [])
  const twiceFrom = sipText({ extra: ['From: <sip:200@example.org>;tag=b'] })
  t.same(viewOf(sipRecordOf(twiceFrom, { source: 'ami-history' })).row.problems, ['From is there 2 times'])
})
