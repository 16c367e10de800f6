// The typed client must say what the server says: `src/api/schema.d.ts` is made from
// `enterprise/api/openapi.json`. Without --write this only compares, and fails where they differ.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import openapiTS, { astToString } from 'openapi-typescript'

const source = new URL('../../api/openapi.json', import.meta.url)
const target = new URL('../src/api/schema.d.ts', import.meta.url)
const head = '// Made from enterprise/api/openapi.json by `npm run generate`. Do not edit.\n\n'
const made = head + astToString(await openapiTS(source))
if (process.argv.includes('--write')) {
  await writeFile(target, made)
  console.log(`wrote ${fileURLToPath(target)}`)
} else if ((await readFile(target, 'utf8').catch(() => '')) !== made) {
  console.error('src/api/schema.d.ts does not fit enterprise/api/openapi.json: run `npm run generate` and look at what changed')
  process.exit(1)
} else {
  console.log('schema.d.ts is fresh')
}
