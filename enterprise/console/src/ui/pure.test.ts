import { describe, expect, it } from 'vitest'
import { addTerm, hasTerm, removeTerm, terms } from '../screens/search/terms'
import { cell, table } from './csv'
import { pieces, plain } from './text'
import { length, relative } from './time'

describe('text', () => {
  it('names what cannot be seen', () => {
    expect(plain('rm \u202Efdp.exe')).toBe('rm ⟨U+202E⟩fdp.exe')
    expect(plain('a\u001b[31mb')).toBe('a⟨U+001B⟩[31mb')
    expect(plain('x\u200by\u{E0041}')).toBe('x⟨U+200B⟩y⟨U+E0041⟩')
    expect(plain('a\nb\tc')).toBe('a⏎b⇥c')
  })
  it('leaves ordinary text alone', () => {
    expect(pieces('echo „grün“ 日本 🙂')).toEqual([{ text: 'echo „grün“ 日本 🙂' }])
  })
})

describe('csv', () => {
  it('disarms formulas', () => {
    for (const bad of ['=1+1', '+1', '-x', '@SUM(A1)', '\t=1', ' =HYPERLINK("x")', '\uFF1Dcmd']) {
      expect(cell(bad).startsWith('"\'')).toBe(true)
    }
  })
  it('keeps numbers and quotes quotes', () => {
    expect(cell(-3)).toBe('"-3"')
    expect(cell('say "hi"')).toBe('"say ""hi"""')
    expect(cell(null)).toBe('""')
    expect(table(['a'], [['x,y']])).toBe('"a"\r\n"x,y"\r\n')
  })
})

describe('time', () => {
  it('is relative', () => {
    const now = Date.parse('2026-01-01T12:00:00Z')
    expect(relative('2026-01-01T11:59:58Z', now)).toBe('now')
    expect(relative('2026-01-01T11:58:00Z', now)).toBe('2 min ago')
    expect(relative('2026-01-01T14:00:00Z', now)).toBe('in 2 h')
    expect(relative('nonsense', now)).toBe('–')
  })
  it('tells lengths', () => {
    expect(length(245_000)).toBe('4 min 05 s')
    expect(length(320)).toBe('320 ms')
  })
})

describe('query terms', () => {
  it('splits with quotes and negation', () => {
    expect(terms('rm -user:bob rule:"a b" "two words"')).toEqual(['rm', '-user:bob', 'rule:"a b"', '"two words"'])
  })
  it('adds, replaces the opposite and removes', () => {
    expect(addTerm('rm', 'user', 'alice')).toBe('rm user:alice')
    expect(addTerm('rm user:alice', 'user', 'alice', true)).toBe('rm -user:alice')
    expect(addTerm('', 'rule', 'two words')).toBe('rule:"two words"')
    expect(hasTerm('a decision:deny', 'decision', 'deny')).toBe(true)
    expect(removeTerm('a decision:deny', 'decision:deny')).toBe('a')
  })
})
