// What a browser must load before the first screen stands, against the budget.
import { readdir, readFile } from 'node:fs/promises'
import { brotliCompressSync } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url)
const html = await readFile(new URL('index.html', dist), 'utf8')
const first = new Set([...html.matchAll(/(?:src|href)="\/?(assets\/[^"]+\.(?:js|css))"/g)].map((match) => match[1]))
const size = async (name) => brotliCompressSync(await readFile(new URL(name, dist))).length
let js = 0
for (const name of first) {
  const bytes = await size(name)
  if (name.endsWith('.js')) js += bytes
  console.log(`first  ${(bytes / 1000).toFixed(1).padStart(7)} kB br  ${name}`)
}
for (const name of await readdir(new URL('assets/', dist))) {
  if (!/\.(js|css)$/.test(name) || first.has(`assets/${name}`)) continue
  console.log(`later  ${((await size(`assets/${name}`)) / 1000).toFixed(1).padStart(7)} kB br  assets/${name}`)
}
const BUDGET = 200_000
console.log(`first screen: ${(js / 1000).toFixed(1)} kB of ${BUDGET / 1000} kB JavaScript (brotli)`)
if (js === 0 || js > BUDGET) {
  console.error('over the budget (or nothing found): load more of it later')
  process.exit(1)
}
