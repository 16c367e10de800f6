// Drives the console in a real Chromium: every screen in light and dark, accessibility, the
// content security policy, and the paths that people walk.
//
//   CONSOLE_URL, CONSOLE_LOGIN, CONSOLE_PASSWORD  a running server; without them the mock is started
//   CONSOLE_PUBLISH=1                             also publish a policy there (always with the mock)
//   SHOTS=DIR                                     keep pictures
//   CHROMIUM=/usr/bin/chromium                    the browser
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const dist = fileURLToPath(new URL('../dist', import.meta.url))
const shots = process.env.SHOTS ?? null
if (shots) await mkdir(shots, { recursive: true })

const { totp } = await import('../mock/server.mjs')
let mock = null
let base = process.env.CONSOLE_URL?.replace(/\/$/, '')
const who = { login: process.env.CONSOLE_LOGIN ?? 'dana', password: process.env.CONSOLE_PASSWORD ?? '' }
if (!base) {
  const { start, PASSWORD } = await import('../mock/server.mjs')
  mock = await start({ dist })
  base = `http://127.0.0.1:${mock.port}`
  who.password ||= PASSWORD
}

let passed = 0
let failed = 0
let skipped = 0
async function check(name, act) {
  try {
    await act()
    passed += 1
    console.log(`ok    ${name}`)
  } catch (problem) {
    if (problem instanceof Skip) {
      skipped += 1
      console.log(`skip  ${name}: ${problem.message}`)
      return
    }
    failed += 1
    const said = await opened?.locator('h1, h2.title, [role=alert]').allTextContents().catch(() => []) ?? []
    console.log(`FAIL  ${name}\n      ${String(problem.message ?? problem).split('\n').slice(0, 12).join('\n      ')}\n      the page says: ${said.join(' | ')}`)
  }
}
/** The page opened last: what it says belongs to a failure. */
let opened = null
class Skip extends Error {}
function must(condition, text) {
  if (!condition) throw new Error(text)
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
})

/** Answers that the paths below ask for; the browser writes a line about each. */
const EXPECTED = /Failed to load resource: the server responded with a status of (401|403|409|422)/
async function open(theme, width = 1440, height = 900) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, ignoreHTTPSErrors: true, reducedMotion: 'reduce', permissions: [] })
  const page = await context.newPage()
  const noise = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !EXPECTED.test(message.text())) noise.push(`${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (problem) => noise.push(`page error: ${problem.message}`))
  await page.addInitScript(() => {
    window.__violations = []
    document.addEventListener('securitypolicyviolation', (event) => window.__violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))
  })
  opened = page
  return { context, page, noise }
}
const settle = async (page) => {
  await page.waitForFunction(() => !document.querySelector('[role=status][aria-label^="Loading"], [role=status][aria-label^="Gathering"], [role=status][aria-label^="Opening"]'), null, { timeout: 20_000 })
  await page.evaluate(() => document.fonts.ready)
  await page.waitForTimeout(250)
}
async function signIn(page) {
  await page.goto(`${base}/`)
  await page.getByLabel('Login').fill(who.login)
  await page.getByLabel('Password').fill(who.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor({ timeout: 15_000 })
}
async function picture(page, name) {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png` })
}
async function accessible(page) {
  await page.evaluate(axe)
  const result = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }))
  must(
    result.violations.length === 0,
    result.violations.map((found) => `${found.id} (${found.impact}): ${found.nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join('\n  ')}`).join('\n'),
  )
}
async function clean(page, noise) {
  const violations = await page.evaluate(() => window.__violations)
  must(violations.length === 0, `content security policy: ${violations.join('; ')}`)
  must(noise.length === 0, `console: ${noise.splice(0).join('; ')}`)
}

const screens = [
  ['overview', '/', 'Overview'], ['live', '/live', 'Live'], ['search', '/search?range=30d', 'Search'], ['alerts', '/alerts', 'Alerts'], ['approvals', '/approvals', 'Approvals'],
  ['decided', '/approvals?status=decided', 'Approvals'], ['exceptions', '/approvals?status=exceptions', 'Approvals'], ['emergencies', '/approvals?status=emergencies', 'Approvals'], ['fleet', '/fleet', 'Fleet'], ['policy', '/policy', 'Policy'], ['rollout', '/policy?view=rollout', 'Policy'], ['history', '/policy?view=history', 'Policy'], ['reports', '/reports', 'Reports'],
  ['own sign-in', '/settings?tab=signin', 'Settings'], ['channels', '/settings?tab=channels', 'Settings'], ['accounts', '/settings?tab=accounts', 'Settings'], ['tokens', '/settings?tab=tokens', 'Settings'], ['detections', '/settings?tab=detections', 'Settings'], ['ledger', '/settings?tab=ledger', 'Settings'],
]

for (const theme of ['light', 'dark']) {
  const { context, page, noise } = await open(theme)
  await check(`${theme}: sign-in`, async () => {
    await page.goto(`${base}/`)
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await settle(page)
    await picture(page, `${theme}-signin`)
    await accessible(page)
    await page.getByLabel('Login').fill(who.login)
    await page.getByLabel('Password').fill('not the password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    await signIn(page)
    await clean(page, noise)
  })
  for (const [name, path, heading] of screens) {
    await check(`${theme}: ${name}`, async () => {
      await page.goto(base + path)
      await page.getByRole('heading', { level: 1, name: heading }).waitFor({ timeout: 15_000 })
      await settle(page)
      if (name === 'policy') await page.locator('.cm-content').waitFor()
      await picture(page, `${theme}-${name}`)
      must((await page.locator('.empty[role=alert]').count()) === 0, 'an error state stands on the screen')
      await accessible(page)
      await clean(page, noise)
    })
  }
  await context.close()
}

const { context, page, noise } = await open('light')
await check('narrow: every screen fits 1024 pixels', async () => {
  const small = await open('dark', 1024, 768)
  await signIn(small.page)
  for (const [name, path] of screens) {
    await small.page.goto(base + path)
    await settle(small.page)
    const wide = await small.page.evaluate(() => document.documentElement.scrollWidth)
    must(wide <= 1024, `${name} is ${wide} pixels wide`)
    await picture(small.page, `narrow-${name}`)
  }
  await clean(small.page, small.noise)
  await small.context.close()
})
await check('keys: ? and g, /', async () => {
  await signIn(page)
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  await accessible(page)
  await picture(page, 'dialog-keys')
  await page.keyboard.press('Escape')
  must((await page.getByRole('dialog').count()) === 0, 'the dialog stayed')
  await page.keyboard.press('g')
  await page.keyboard.press('f')
  await page.getByRole('heading', { level: 1, name: 'Fleet' }).waitFor()
  await page.keyboard.press('g')
  await page.keyboard.press('s')
  await page.getByRole('heading', { level: 1, name: 'Search' }).waitFor()
  await page.keyboard.press('/')
  must(await page.evaluate(() => document.activeElement?.hasAttribute('data-search')), '/ did not reach the query box')
})
await check('search: query, rows, drawer, brush', async () => {
  await page.getByLabel('Query').fill('-decision:deny since:90d')
  await page.keyboard.press('Enter')
  await page.waitForURL(/q=/)
  await settle(page)
  await page.getByRole('table', { name: 'Events', exact: true }).waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('j')
  await page.getByRole('complementary', { name: 'Event' }).getByText('Who and where').waitFor()
  await page.waitForURL(/event=/)
  await page.keyboard.press('j')
  await settle(page)
  await page.getByText('The event as recorded').click()
  await picture(page, 'light-drawer')
  await accessible(page)
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => !document.querySelector('aside.drawer'))
  await page.goto(`${base}/search?range=30d`)
  await settle(page)
  const plot = page.locator('.histo .u-over')
  const box = await plot.boundingBox()
  await page.mouse.move(box.x + box.width * 0.7, box.y + 40)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.8, box.y + 40, { steps: 4 })
  await page.mouse.move(box.x + box.width * 0.95, box.y + 40, { steps: 4 })
  await page.mouse.up()
  await page.waitForURL(/from=.*to=/)
  await page.goto(`${base}/search?q=nofield:x&range=24h`)
  await page.getByRole('alert').first().waitFor()
  await page.goto(`${base}/search?q=${encodeURIComponent('word-that-nobody-typed-7391')}`)
  await page.getByText('Nothing matches').waitFor()
  await picture(page, 'light-search-empty')
  await clean(page, noise)
})
await check('search: export is a file', async () => {
  await page.goto(`${base}/search?range=24h`)
  await settle(page)
  const button = page.getByRole('button', { name: 'Export CSV' })
  if (await button.isDisabled()) throw new Skip('no rows in 24 hours')
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()])
  const text = await readFile(await file.path(), 'utf8')
  must(text.startsWith('"time","event_type","decision"'), `the head is ${text.slice(0, 60)}`)
  must(!/(^|,)"[=+@]/m.test(text), 'a cell would be computed')
})
await check('live: the feed is open, pause and pin', async () => {
  await page.goto(`${base}/live`)
  await settle(page)
  await page.locator('.feed-state .dot.ok').waitFor({ timeout: 15_000 })
  if (mock) {
    const foot = page.locator('.vt-foot span').first()
    const before = await foot.textContent()
    await page.waitForFunction((text) => document.querySelector('.vt-foot span')?.textContent !== text, before, { timeout: 8000 })
  }
  if ((await page.locator('.vt-row').count()) === 0) throw new Skip('no event in the feed')
  await page.keyboard.press('p')
  await page.getByText('Paused').waitFor()
  await page.locator('.vt-row').nth(1).getByRole('button', { name: 'Pin' }).click()
  await page.getByRole('heading', { name: 'Pinned' }).waitFor()
  await page.keyboard.press('j')
  await page.getByRole('complementary', { name: 'Event' }).waitFor()
  await settle(page)
  await picture(page, 'light-live-paused')
  await accessible(page)
  await page.keyboard.press('p')
  await clean(page, noise)
})
await check('alerts: acknowledge, note, close dialog', async () => {
  await page.goto(`${base}/alerts?status=open`)
  await settle(page)
  const button = page.getByRole('button', { name: 'Acknowledge', exact: true })
  if ((await button.count()) === 0) throw new Skip('no open alert')
  if (await button.isDisabled()) throw new Skip('the role may not act')
  await page.getByLabel('Note').fill('Looked at it')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  await page.locator('.notes').getByText('Looked at it').waitFor()
  await page.getByRole('button', { name: 'Close…' }).click()
  await page.getByRole('dialog').waitFor()
  await accessible(page)
  await picture(page, 'dialog-close')
  await page.keyboard.press('Escape')
  await button.click()
  await page.getByText('The alert is acknowledged').waitFor()
  await clean(page, noise)
})
await check('alerts: one that comes in does not take the place of the one looked at', async () => {
  if (!mock) throw new Skip('needs the mock')
  await page.goto(`${base}/alerts?status=open`)
  await settle(page)
  const title = await page.locator('.detail h2').textContent()
  await page.getByLabel('Note').fill('Half a sentence')
  mock.state.alerts.unshift({ ...mock.state.alerts[0], id: 'al-newer', title: 'A newer one', status: 'open', notes: [] })
  mock.send('alert', mock.state.alerts[0])
  await page.getByRole('list', { name: 'Alerts' }).getByText('A newer one').waitFor()
  must((await page.locator('.detail h2').textContent()) === title, 'another alert is looked at')
  must((await page.getByLabel('Note').inputValue()) === 'Half a sentence', 'the note is lost')
  mock.state.alerts.shift()
  await clean(page, noise)
})
await check('approvals: step-up refuses a wrong password, takes the right one', async () => {
  await page.goto(`${base}/approvals`)
  await settle(page)
  const button = page.locator('article.ask button:enabled', { hasText: 'Approve…' }).first()
  if ((await button.count()) === 0) throw new Skip('nobody waits, or the role may not act')
  const cards = await page.locator('article.ask').count()
  await button.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('Agreed with the owner')
  await dialog.getByLabel('Your password').fill('not the password')
  await dialog.getByRole('button', { name: 'Approve once' }).click()
  await dialog.getByRole('alert').waitFor()
  await picture(page, 'dialog-stepup')
  await accessible(page)
  await dialog.getByLabel('Your password').fill(who.password)
  await dialog.getByRole('button', { name: 'Approve once' }).click()
  await page.getByText('Approved: it may run once').waitFor()
  await page.waitForFunction((n) => document.querySelectorAll('article.ask').length < n, cards)
  await clean(page, noise)
})
await check('fleet: drawer, filter, quarantine dialog', async () => {
  await page.goto(`${base}/fleet`)
  await settle(page)
  if ((await page.locator('.vt-row').count()) === 0) throw new Skip('no machine')
  await page.keyboard.press('j')
  await page.getByRole('complementary', { name: 'Machine' }).getByText('Completeness').waitFor()
  await settle(page)
  await picture(page, 'light-machine')
  await accessible(page)
  const act = page.getByRole('button', { name: /^(Quarantine|Release)…$/ })
  if (!(await act.isDisabled())) {
    await act.click()
    await page.getByRole('dialog').waitFor()
    await accessible(page)
    await page.keyboard.press('Escape')
  }
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => !document.querySelector('aside.drawer'))
})
await check('fleet: an enrolment token is shown once, with its command', async () => {
  await page.goto(`${base}/fleet`)
  await settle(page)
  const button = page.getByRole('button', { name: 'Enrol a machine' }).first()
  if (await button.isDisabled()) throw new Skip('the role may not enrol')
  await button.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Person').fill('newcomer')
  await dialog.getByLabel('Labels').fill('ring=canary')
  await dialog.getByLabel('Your password').fill('not the password')
  await dialog.getByRole('button', { name: 'Make the token' }).click()
  await dialog.getByRole('alert').waitFor()
  await dialog.getByLabel('Your password').fill(who.password)
  await dialog.getByRole('button', { name: 'Make the token' }).click()
  await dialog.getByText('shown once').waitFor()
  await picture(page, 'dialog-enrol')
  await accessible(page)
  await dialog.getByRole('button', { name: 'Done' }).click()
})
await check('policy: a bad document shows its complaint in place and cannot be published', async () => {
  await page.goto(`${base}/policy`)
  await settle(page)
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('\nthis_is_no_key: 1')
  await page.locator('.policy-side .diag .red').first().waitFor({ timeout: 15_000 })
  await page.locator('.cm-lintRange-error').first().waitFor()
  must(await page.getByRole('button', { name: 'Publish…' }).isDisabled(), 'it could be published')
  await page.locator('.policy-side button.diag').first().click()
  await picture(page, 'light-policy-bad')
  await accessible(page)
  await page.getByRole('button', { name: 'Difference' }).first().click()
  await page.locator('.cm-changedLine').first().waitFor()
  await settle(page)
  await picture(page, 'light-policy-diff')
  await accessible(page)
  await page.getByRole('button', { name: 'Drop my changes' }).click()
  await page.getByText('as published').waitFor()
  await clean(page, noise)
})
await check('policy: a good change is published after the password', async () => {
  if (!mock && process.env.CONSOLE_PUBLISH !== '1') throw new Skip('only with CONSOLE_PUBLISH=1')
  await page.goto(`${base}/policy`)
  await settle(page)
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('\n# looked over')
  const button = page.getByRole('button', { name: 'Publish…' })
  await page.waitForFunction(() => [...document.querySelectorAll('button')].some((b) => b.textContent === 'Publish…' && !b.disabled), null, { timeout: 15_000 })
  await button.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('What changes, and why').fill('A comment')
  await dialog.getByLabel('Your password').fill(who.password)
  await picture(page, 'dialog-publish')
  await dialog.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.getByText('Published; machines fetch it now').waitFor()
  await page.getByText('as published').waitFor()
})
await check('policy: a rollout is halted and goes on, with a reason and the password', async () => {
  if (!mock && process.env.CONSOLE_PUBLISH !== '1') throw new Skip('only with CONSOLE_PUBLISH=1')
  await page.goto(`${base}/policy?view=rollout`)
  await page.getByRole('heading', { name: 'Rings' }).waitFor()
  await page.getByRole('row', { name: /canary/ }).waitFor()
  for (const [button, action, done, phase] of [['Halt…', 'Halt', 'Halted', 'halted'], ['Go on…', 'Go on', 'It goes on', 'spreading']]) {
    await page.getByRole('button', { name: button }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason').fill('The canary is looked at')
    await dialog.getByLabel('Your password').fill(who.password)
    await dialog.getByRole('button', { name: action, exact: true }).click()
    await page.getByText(done, { exact: true }).waitFor()
    await page.locator('.rollout .tag', { hasText: phase }).first().waitFor()
    await picture(page, `light-rollout-${phase}`)
    await accessible(page)
  }
  await clean(page, noise)
})
await check('policy: somebody else published meanwhile', async () => {
  if (!mock) throw new Skip('needs the mock')
  await page.goto(`${base}/policy`)
  await settle(page)
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('\n# mine')
  await page.waitForFunction(() => [...document.querySelectorAll('button')].some((b) => b.textContent === 'Publish…' && !b.disabled), null, { timeout: 15_000 })
  await page.getByRole('button', { name: 'Publish…' }).click()
  const call = (path, body, cookie = '') => fetch(`${base}/api/v1/${path}`, { method: body ? 'POST' : 'GET', body: body && JSON.stringify(body), headers: { 'x-cmdai': '1', 'content-type': 'application/json', cookie } })
  const cookie = (await call('session', { login: 'farah', password: who.password })).headers.get('set-cookie').split(';')[0]
  const now = await (await call('policy', null, cookie)).json()
  const answer = await call('policy', { source: `${now.source}# theirs\n`, base_version: now.version, note: 'Theirs', password: who.password }, cookie)
  must(answer.status === 200, `the other publication answered ${answer.status}`)
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('What changes, and why').fill('Mine')
  await dialog.getByLabel('Your password').fill(who.password)
  await dialog.getByRole('button', { name: 'Publish', exact: true }).click()
  await dialog.getByRole('alert').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('was published by').waitFor()
  await settle(page)
  await picture(page, 'light-policy-conflict')
  await accessible(page)
  await page.getByRole('button', { name: 'Drop my changes' }).click()
  await page.getByText('as published').waitFor()
})
await check('approvals: repeats stand on one card, votes and what it takes are shown', async () => {
  if (!mock) throw new Skip('needs the mock')
  await page.goto(`${base}/approvals`)
  await settle(page)
  const more = page.getByRole('button', { name: '1 more like it' })
  const before = await page.locator('article.ask').count()
  await more.click()
  must((await page.locator('article.ask').count()) === before + 1, 'the repeats did not unfold')
  const card = page.locator('article.ask', { hasText: 'acme.deploy' }).first()
  await card.getByText('1 of 2').waitFor()
  await card.getByText('2 different people').waitFor()
  await card.getByText('by totp').waitFor()
  await picture(page, 'light-approvals-quorum')
  await accessible(page)
})
await check('exceptions: taken back after the password', async () => {
  await page.goto(`${base}/approvals?status=exceptions`)
  await settle(page)
  const button = page.getByRole('button', { name: 'Take back…' }).first()
  if ((await button.count()) === 0 || (await button.isDisabled())) throw new Skip('no open exception, or the role may not act')
  await button.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('The migration is over')
  await dialog.getByLabel('Your password').fill(who.password)
  await accessible(page)
  await picture(page, 'dialog-revoke')
  await dialog.getByRole('button', { name: 'Take back' }).click()
  await page.getByText('The exception is taken back').waitFor()
  await clean(page, noise)
})
await check('emergencies: reviewed by somebody else', async () => {
  await page.goto(`${base}/approvals?status=emergencies`)
  await settle(page)
  const button = page.getByRole('button', { name: 'Review…' }).first()
  if ((await button.count()) === 0 || (await button.isDisabled())) throw new Skip('no emergency waits, or the role may not act')
  await button.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('What you found').fill('The incident is INC-80')
  await dialog.getByLabel('Your password').fill(who.password)
  await accessible(page)
  await picture(page, 'dialog-review')
  await dialog.getByRole('button', { name: 'Take it down' }).click()
  await page.getByText('The review is taken down').waitFor()
  await clean(page, noise)
})
await check('sign-in: an authenticator app is set up, asked for, and removed', async () => {
  await page.goto(`${base}/settings?tab=signin`)
  await settle(page)
  await page.getByRole('button', { name: 'Add an authenticator app' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Your password').fill(who.password)
  await accessible(page)
  await dialog.getByRole('button', { name: 'Show the secret' }).click()
  await dialog.getByLabel('First code').waitFor()
  const secret = ((await dialog.locator('.copybox').first().textContent()) ?? '').match(/[A-Z2-7]{32}/)?.[0] ?? ''
  must(secret !== '', 'no secret is shown')
  await dialog.getByLabel('First code').fill('000000')
  await dialog.getByRole('button', { name: 'Confirm' }).click()
  await dialog.getByRole('alert').waitFor()
  await dialog.getByLabel('First code').fill(totp(secret))
  await picture(page, 'dialog-totp')
  await dialog.getByRole('button', { name: 'Confirm' }).click()
  await dialog.getByText('Shown once').waitFor()
  const code = ((await dialog.locator('.copybox').first().textContent()) ?? '').match(/[A-Z0-9]{5}(-[A-Z0-9]{5}){3}/)?.[0] ?? ''
  must(code !== '', 'no recovery code is shown')
  await accessible(page)
  await picture(page, 'dialog-recovery')
  await dialog.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('button', { name: 'Remove…' }).click()
  await dialog.getByLabel('Your password').fill(who.password)
  await dialog.getByLabel('Code').fill('000000')
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
  await dialog.getByRole('alert').waitFor()
  await accessible(page)
  await dialog.getByLabel('Code').fill(code)
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
  await page.getByText('The second factor is removed').waitFor()
  await clean(page, noise)
})
await check('security key: made, asked for an act, and removed', async () => {
  // Keys are bound to names: loopback by its own.
  const named = base.replace('127.0.0.1', 'localhost')
  const own = await open('light')
  const tools = await own.context.newCDPSession(own.page)
  await tools.send('WebAuthn.enable')
  const { authenticatorId } = await tools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'usb', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  })
  await own.page.goto(`${named}/`)
  await own.page.getByLabel('Login').fill(who.login)
  await own.page.getByLabel('Password').fill(who.password)
  await own.page.getByRole('button', { name: 'Sign in' }).click()
  await own.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor({ timeout: 15_000 })
  await own.page.goto(`${named}/settings?tab=signin`)
  await settle(own.page)
  await own.page.getByRole('button', { name: 'Add a security key' }).click()
  const dialog = own.page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Blue key')
  await dialog.getByLabel('Your password').fill(who.password)
  await accessible(own.page)
  await picture(own.page, 'dialog-key')
  await dialog.getByRole('button', { name: 'Touch the key…' }).click()
  // Recovery codes are shown where the account had none left.
  const codes = dialog.getByText('Shown once')
  const row = own.page.getByText('The security key counts')
  await codes.or(row).first().waitFor()
  if (await codes.isVisible()) await dialog.getByRole('button', { name: 'Done' }).click()
  await own.page.getByRole('cell', { name: 'Blue key' }).waitFor()
  must((await own.page.getByRole('dialog').count()) === 0, 'the dialog stayed')
  const { credentials } = await tools.send('WebAuthn.getCredentials', { authenticatorId })
  must(credentials.length === 1 && credentials[0].rpId === 'localhost', `credentials: ${JSON.stringify(credentials)}`)
  // Signing in again takes the key.
  await own.page.getByRole('button', { name: 'Sign out' }).click()
  await own.page.getByLabel('Login').fill(who.login)
  await own.page.getByLabel('Password').fill(who.password)
  await own.page.getByRole('button', { name: 'Sign in' }).click()
  await own.page.getByLabel('Code').waitFor()
  await accessible(own.page)
  await picture(own.page, 'signin-key')
  await own.page.getByRole('button', { name: 'Use your security key' }).click()
  await own.page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor({ timeout: 15_000 })
  await settle(own.page)
  // An act under the key: nobody who does not verify, then somebody who does.
  await own.page.getByRole('button', { name: 'Remove…' }).click()
  await dialog.getByRole('group', { name: 'Your proof' }).waitFor()
  await accessible(own.page)
  await picture(own.page, 'dialog-key-proof')
  await tools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
  await dialog.getByRole('alert').waitFor({ timeout: 150_000 })
  await tools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
  await own.page.getByText('The second factor is removed').waitFor()
  await clean(own.page, own.noise)
  await own.context.close()
})
await check('theme: the button goes round', async () => {
  await page.goto(`${base}/`)
  await settle(page)
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme ?? 'auto')
  for (const wanted of ['light', 'dark', 'auto']) {
    await page.getByRole('button', { name: /^Theme:/ }).click()
    must((await theme()) === wanted, `it is ${await theme()}, not ${wanted}`)
  }
})
await check('a viewer sees and cannot act', async () => {
  if (!mock) throw new Skip('needs the mock')
  const other = await open('dark')
  await other.page.goto(`${base}/`)
  await other.page.getByLabel('Login').fill('vera')
  await other.page.getByLabel('Password').fill(who.password)
  await other.page.getByRole('button', { name: 'Sign in' }).click()
  await other.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await other.page.goto(`${base}/alerts`)
  await settle(other.page)
  must(await other.page.getByRole('button', { name: 'Close…' }).isDisabled(), 'a viewer may close alerts')
  await other.page.goto(`${base}/reports`)
  await other.page.getByText('Reports are for auditors').waitFor()
  await other.page.goto(`${base}/settings?tab=accounts`)
  await other.page.getByText('For administrators').waitFor()
  await other.page.goto(`${base}/policy`)
  await settle(other.page)
  await other.page.getByText('read only for viewer').waitFor()
  await accessible(other.page)
  await clean(other.page, other.noise)
  await other.page.getByRole('button', { name: 'Sign out' }).click()
  await other.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await other.context.close()
})
await check('reports: evidence opens', async () => {
  await page.goto(`${base}/reports`)
  await settle(page)
  const control = page.locator('details.control').first()
  if ((await control.count()) === 0) throw new Skip('no control')
  await control.locator('summary').first().click()
  await page.locator('.evid').first().waitFor()
  await picture(page, 'light-report-open')
  await accessible(page)
  await clean(page, noise)
})
await check('text: hidden characters are named', async () => {
  if (!mock) throw new Skip('needs the mock')
  await page.goto(`${base}/search?q=${encodeURIComponent('rule:text.hidden-characters')}&range=30d`)
  await settle(page)
  await page.locator('.ctl', { hasText: 'U+202E' }).first().waitFor()
  await page.locator('.ctl', { hasText: 'U+001B' }).first().waitFor()
})
await check('10,000 rows stay few in the page', async () => {
  if (!mock) throw new Skip('needs the mock')
  await page.goto(`${base}/search?range=90d`)
  await settle(page)
  const began = Date.now()
  for (;;) {
    const loaded = await page.evaluate(() => {
      const scroll = document.querySelector('.vt-scroll')
      scroll.scrollTop = scroll.scrollHeight
      return Number((document.querySelector('.vt-foot span')?.textContent ?? '0').split(' ')[0].replaceAll(',', ''))
    })
    if (loaded >= 10_000 || Date.now() - began > 60_000) {
      must(loaded >= 10_000, `only ${loaded} rows were loaded`)
      break
    }
    await page.waitForTimeout(40)
  }
  const rows = await page.locator('.vt-row').count()
  must(rows < 90, `${rows} rows stand in the page`)
})
await check('the server goes away: a banner, and back again', async () => {
  if (!mock) throw new Skip('needs the mock')
  await page.goto(`${base}/live`)
  await page.locator('.feed-state .dot.ok').waitFor()
  const { port } = mock
  await mock.stop()
  await page.getByText('The server does not answer.').waitFor({ timeout: 15_000 })
  await picture(page, 'light-gone')
  await accessible(page)
  const { start } = await import('../mock/server.mjs')
  mock = await start({ dist, port })
  await page.getByRole('button', { name: 'Try now' }).click().catch(() => {})
  // The new server knows no session: the way back is signing in.
  await page.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: 20_000 })
})
await context.close()
await browser.close()
await mock?.stop()
if (skipped > 0) console.log(`${skipped} skipped`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
