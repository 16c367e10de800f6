// CSV that a spreadsheet cannot mistake for formulas.

/** One cell: quoted, and led by an apostrophe where a spreadsheet would compute it. */
export function cell(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value)
  const number = /^-?\d+(\.\d+)?$/.test(text)
  const risky = !number && /^[\s\u0000]*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20|%]/.test(text)
  return `"${(risky ? `'${text}` : text).replaceAll('"', '""')}"`
}

/** Lines as RFC 4180 wants them. */
export function table(head: string[], rows: unknown[][]): string {
  return [head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n'
}

/** Hands a text to the browser as a file. */
export function download(name: string, type: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
