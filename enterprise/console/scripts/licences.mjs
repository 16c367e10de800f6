// Puts the licences of everything that ends up in the bundle beside it.
import { readdir, readFile, writeFile } from 'node:fs/promises'

const root = new URL('../', import.meta.url)
const lock = JSON.parse(await readFile(new URL('package-lock.json', root), 'utf8'))
const out = []
for (const [path, entry] of Object.entries(lock.packages)) {
  if (!path || entry.dev) continue
  const folder = new URL(`${path}/`, root)
  const files = await readdir(folder).catch(() => [])
  if (files.length === 0) continue
  const name = files.find((file) => /^(licen[cs]e|copying)/i.test(file))
  const text = name ? await readFile(new URL(name, folder), 'utf8') : '(no licence file in the package)'
  out.push(`${path.replace(/^.*node_modules\//, '')} ${entry.version}  ${entry.license ?? ''}\n\n${text.trim()}\n`)
}
if (out.length === 0) throw new Error('no package found: run npm ci first')
await writeFile(new URL('dist/licences.txt', root), out.join(`\n${'-'.repeat(78)}\n\n`))
console.log(`licences of ${out.length} packages`)
