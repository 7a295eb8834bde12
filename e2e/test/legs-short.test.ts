import t from 'tap'
import { checkShortCalls } from '../short-calls.ts'

t.setTimeout(1_800_000)

t.test(
  'calls that are refused at once, with nothing but an AMI login: none linked wrongly, a guess says that it is one',
  (t) => checkShortCalls(t, { hep: false }),
)
