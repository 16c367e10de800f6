// Everything displayed is text. Characters that could hide or reorder it are shown by name.

export interface Piece {
  text: string
  /** Set where the piece stands for a character that would not be seen. */
  name?: string
  /** A line break or tab: worth showing, not worth alarm. */
  space?: boolean
}

const NAMES: Record<number, string> = {
  0x00: 'NULL', 0x07: 'BELL', 0x08: 'BACKSPACE', 0x1b: 'ESCAPE', 0x7f: 'DELETE', 0x9b: 'CONTROL SEQUENCE INTRODUCER',
  0xad: 'SOFT HYPHEN', 0x61c: 'ARABIC LETTER MARK', 0x180e: 'MONGOLIAN VOWEL SEPARATOR',
  0x200b: 'ZERO WIDTH SPACE', 0x200c: 'ZERO WIDTH NON-JOINER', 0x200d: 'ZERO WIDTH JOINER',
  0x200e: 'LEFT-TO-RIGHT MARK', 0x200f: 'RIGHT-TO-LEFT MARK', 0x2028: 'LINE SEPARATOR', 0x2029: 'PARAGRAPH SEPARATOR',
  0x202a: 'LEFT-TO-RIGHT EMBEDDING', 0x202b: 'RIGHT-TO-LEFT EMBEDDING', 0x202c: 'POP DIRECTIONAL FORMATTING',
  0x202d: 'LEFT-TO-RIGHT OVERRIDE', 0x202e: 'RIGHT-TO-LEFT OVERRIDE', 0x2060: 'WORD JOINER',
  0x2066: 'LEFT-TO-RIGHT ISOLATE', 0x2067: 'RIGHT-TO-LEFT ISOLATE', 0x2068: 'FIRST STRONG ISOLATE',
  0x2069: 'POP DIRECTIONAL ISOLATE', 0x3164: 'HANGUL FILLER', 0xfeff: 'BYTE ORDER MARK', 0xfffd: 'REPLACEMENT CHARACTER',
}

function hidden(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code <= 0x9f) ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    (code >= 0xd800 && code <= 0xdfff) ||
    (code >= 0xfe00 && code <= 0xfe0f) ||
    (code >= 0xfff0 && code <= 0xfffd) ||
    (code >= 0xe0000 && code <= 0xe0fff) ||
    code in NAMES
  )
}

/** Splits a text into what is seen as it is and what is named. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = []
  let plain = ''
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    if (!hidden(code)) {
      plain += char
      continue
    }
    if (plain) out.push({ text: plain })
    plain = ''
    const hex = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
    if (code === 0x0a) out.push({ text: '⏎', name: 'line break', space: true })
    else if (code === 0x09) out.push({ text: '⇥', name: 'tab', space: true })
    else out.push({ text: hex, name: NAMES[code] ? `${hex} ${NAMES[code]}` : `${hex}, not printable` })
  }
  if (plain) out.push({ text: plain })
  return out
}

/** The same as one string, for titles and labels. */
export function plain(text: string): string {
  return pieces(text)
    .map((piece) => (piece.name && !piece.space ? `⟨${piece.text}⟩` : piece.text))
    .join('')
}
