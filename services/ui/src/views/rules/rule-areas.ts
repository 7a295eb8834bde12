import type { RuleView } from '@sip-capture/contract/rest/rule.ts'

/** What the letter of a rule's number stands for. */
const areas: Readonly<Record<string, string>> = {
  R: 'Registration and authentication',
  N: 'Network and silence',
  A: 'Addresses and NAT',
  F: 'Final answers',
  C: 'How a call stands',
  S: 'Setting up and cancelling',
  D: 'During the call',
  M: 'Media',
  X: 'Abuse',
}

function areaOf(ruleId: string): string {
  return areas[ruleId.slice(0, 1)] ?? 'Others'
}

/** Rules that have every word somewhere. */
export function findRules(rules: readonly RuleView[], text: string): RuleView[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return rules.filter(({ id, title, meaning, checks, rfc, options }) => {
    const all = [id, title, meaning, ...checks, ...rfc, ...options.map(({ option }) => option)]
      .join('\n')
      .toLowerCase()
    return words.every((word) => all.includes(word))
  })
}

/** By area, in the order of the areas' letters. */
export function groupRules(rules: readonly RuleView[]): [area: string, rules: RuleView[]][] {
  const groups = new Map(Object.values(areas).map((area): [string, RuleView[]] => [area, []]))
  for (const rule of rules) {
    const area = areaOf(rule.id)
    const group = groups.get(area)
    if (group) group.push(rule)
    else groups.set(area, [rule])
  }
  return [...groups]
    .filter(([, group]) => group.length > 0)
    .map(([area, group]) => [area, group.toSorted((a, b) => (a.id < b.id ? -1 : 1))])
}
