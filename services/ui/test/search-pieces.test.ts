import './dom.ts'
import t from 'tap'
import { bothSearches } from '../src/state/calls-filter.ts'
import { toPieces } from '../src/components/search-pieces.ts'

const texts = (q: string) => toPieces(q).map(({ text }) => text)

t.test('conditions that stand side by side are pieces; each can be taken out', async (t) => {
  t.same(texts('state:failed -from:"a b" NOT code:486 (x OR y) AND -(z)'), [
    'state:failed',
    '-from:"a b"',
    'NOT code:486',
    '(x OR y)',
    '-(z)',
  ])
  t.same(
    toPieces('a:1 from:b -c').map(({ rest }) => rest),
    ['from:b -c', 'a:1 -c', 'a:1 from:b'],
  )
  t.same(texts('  '), [])
})

t.test('what an OR joins, and what cannot be read, is one piece', async (t) => {
  t.same(texts('state:busy OR code:302 x'), ['state:busy OR code:302 x'])
  t.same(texts('from:"a b'), ['from:"a b'])
  t.same(texts('(a OR b) ((c) -d)'), ['(a OR b)', '((c) -d)'])
})

t.test('two searches put together ask for both, whatever OR is inside', async (t) => {
  t.equal(bothSearches('a OR b', 'state:busy'), '(a OR b) state:busy')
  t.equal(bothSearches('', 'x'), 'x')
  t.equal(bothSearches('from:"x OR y"', 'z'), '(from:"x OR y") z', 'brackets too many do no harm')
})
