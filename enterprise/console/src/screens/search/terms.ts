// The query box as terms, so that a click can add or remove one without understanding the rest.

/** Splits at spaces outside quotes. */
export function terms(q: string): string[] {
  return q.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []
}

function word(field: string, value: string): string {
  return `${field}:${/[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value}`
}

export function hasTerm(q: string, field: string, value: string): boolean {
  return terms(q).includes(word(field, value))
}

/** Adds `field:value` (or its negation) once, and drops the opposite. */
export function addTerm(q: string, field: string, value: string, negate = false): string {
  const term = word(field, value)
  const rest = terms(q).filter((other) => other !== term && other !== `-${term}`)
  return [...rest, negate ? `-${term}` : term].join(' ')
}

export function removeTerm(q: string, term: string): string {
  return terms(q)
    .filter((other) => other !== term)
    .join(' ')
}

/** The window is in the query itself. */
export function hasSince(q: string): boolean {
  return terms(q).some((term) => term.startsWith('since:'))
}
