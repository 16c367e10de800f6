// A small server that answers like the real one, from seeded data in memory: for work on the
// console and for its tests. It sends the same content security policy.
//
//   node mock/server.mjs [--port 8787] [--dist dist] [--quiet]
//
// Sign in as `dana` (administrator), `farah` (security), `omar` (auditor) or `vera` (viewer).
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, checkPolicy, ORGANISATION, POLICY, sha } from './data.mjs'

export const PASSWORD = 'correct horse battery'
const DAY = 86_400_000
const iso = (ms = Date.now()) => new Date(ms).toISOString()
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' }

/** The code of RFC 6238 for now. */
export function totp(secret, at = Date.now()) {
  let bits = ''
  for (const letter of secret) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const mac = createHmac('sha1', key).update(step).digest()
  const from = mac.at(-1) & 15
  return String((mac.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

class Refusal extends Error {
  constructor(status, code, message) {
    super(message)
    Object.assign(this, { status, code })
  }
}

export function start({ port = 0, dist = null, live = true } = {}) {
  const state = build(Date.now())
  const users = [['dana', 'administrator', ''], ['farah', 'security', 'farah'], ['omar', 'auditor', ''], ['vera', 'viewer', 'dora']].map(([login, role, person], i) => ({ login, role, person, groups: login === 'farah' ? ['sre'] : [], chat: null, second_factor: false, created: iso(Date.now() - (90 - i) * DAY), last_seen: i < 2 ? iso(Date.now() - i * 4_000_000) : null }))
  const sessions = new Map()
  let factors = []
  const challenges = new Map()
  const b64 = (bytes) => Buffer.from(bytes).toString('base64url')
  function challenge(me, act) {
    const statement = JSON.stringify({ act, format: 'cmdai.act/1', login: me.login, nonce: b64(randomBytes(16)) })
    const asked = b64(createHash('sha256').update(statement).digest())
    challenges.set(asked, { login: me.login, act, statement })
    return { challenge: asked, statement, rp_id: 'localhost', credentials: factors.filter((factor) => factor.kind === 'webauthn' && factor.login === me.login).map((factor) => factor.credential), timeout_ms: 60_000 }
  }
  let recovery = []
  let tokens = [{ id: '9f2c41d0a7b3e815', name: 'siem-forwarder', login: 'dana', created: iso(Date.now() - 20 * DAY), expires: iso(Date.now() + 70 * DAY) }]
  const feeds = new Set()
  let channels = [{ id: 'security-chat', kind: 'webhook', url: 'https://chat.northwind.example/hooks/9f2', min_severity: 'medium', secret: null, enabled: true }, { id: 'pager', kind: 'webhook', url: 'https://events.pager.example/v2', min_severity: 'critical', secret: null, enabled: true }]
  const deliveries = state.alerts.slice(0, 5).map((alert, i) => ({ time: alert.notified, channel: i === 0 ? 'pager' : 'security-chat', alert: alert.id, attempt: i === 2 ? 2 : 1, status: 200, error: null }))
  deliveries.splice(2, 0, { time: iso(Date.parse(state.alerts[2].notified) - 30_000), channel: 'security-chat', alert: state.alerts[2].id, attempt: 1, status: 503, error: 'answered 503' })
  const policy = {
    version: 41, source: POLICY, published_by: 'dana', published: iso(Date.now() - 2 * DAY),
    history: [[41, 'dana', 'Block deletion of production logs after the incident of 14 November', 2], [40, 'farah', 'terraform apply needs approval', 9], [39, 'dana', 'Allow kubectl 1.29', 20], [38, 'dana', 'First enforced version; monitored for two weeks before', 34]].map(([version, published_by, note, days]) => ({ version, published_by, note, published: iso(Date.now() - days * DAY), sha256: sha(`policy ${version}`), reviewed_by: version === 41 ? 'farah' : '', impact_sha256: version === 41 ? sha('impact 41') : '', impact: version === 41 ? { format: 'cmdai.impact/1', against: 40, made: iso(Date.now() - days * DAY), days: 30, commands: 18_240, bounded: false, stricter: 31, looser: 0, people_more: 4, people_less: 0, decisions: [{ name: 'allow', old: 17_904, new: 17_873 }, { name: 'deny', old: 61, new: 92 }], rules: [{ name: 'data.prod-delete', old: 0, new: 31 }], changes: [{ direction: 'stricter', subject: 'rule data.prod-delete', was: null, is: 'deny, critical risk' }], more_changes: 0 } : null })),
  }

  const reads = { user: (r) => [r.user], machine: (r) => [r.hostname, r.machine_id], program: (r) => [r.text.split(/\s/)[0]], decision: (r) => [r.decision], risk: (r) => [r.risk], type: (r) => [r.event_type], origin: (r) => [r.origin], agent: (r) => [r.agent], rule: (r) => [r.rule], session: (r) => [r.session_id], team: (r) => [r.team] }
  function select(query) {
    const problems = []
    let from = query.get('from') ? Date.parse(query.get('from')) : 0
    const to = query.get('to') ? Date.parse(query.get('to')) : Infinity
    const asked = new Map()
    const words = ((query.get('q') ?? '').match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []).flatMap((term) => {
      const negate = term.startsWith('-') && term.length > 1
      const body = (negate ? term.slice(1) : term).toLowerCase()
      const colon = body.indexOf(':')
      const name = colon > 0 ? body.slice(0, colon) : ''
      const value = body.slice(colon + 1).replaceAll('"', '')
      if (name === 'since') {
        const found = /^(\d+)([dhm])$/.exec(value)
        if (found) from = Math.max(from, Date.now() - Number(found[1]) * { d: DAY, h: 3_600_000, m: 60_000 }[found[2]])
        else problems.push(`since: wants a length such as 90d, not “${value}”`)
        return []
      }
      if (name && !reads[name]) problems.push(`there is no field “${name}”; it was taken as a word`)
      const read = reads[name]
      if (!read) return [(row) => row.text.toLowerCase().includes(body.replaceAll('"', '')) !== negate]
      const there = asked.get(`${negate}${name}`) ?? { read, negate, values: [] }
      there.values.push(...value.split(','))
      asked.set(`${negate}${name}`, there)
      return []
    })
    const tests = [...words, ...[...asked.values()].map(({ read, negate, values }) => (row) => read(row).some((v) => values.includes(v?.toLowerCase())) !== negate)]
    return { problems, from, to, rows: state.rows.filter((row) => { const t = Date.parse(row.time); return t >= from && t < to && tests.every((test) => test(row)) }) }
  }
  function histogram(rows, from, to, n) {
    const step = (to - from) / n
    const buckets = Array.from({ length: n }, (_, i) => ({ from: iso(from + i * step), counts: {} }))
    for (const row of rows) {
      const bucket = buckets[Math.floor((Date.parse(row.time) - from) / step)]
      const key = row.decision ?? 'none'
      if (bucket) bucket.counts[key] = (bucket.counts[key] ?? 0) + 1
    }
    return buckets
  }
  const within = (a, b) => state.rows.filter((row) => { const t = Date.parse(row.time); return t >= a && t < b && row.decision })
  function overview() {
    const now = Date.now()
    const today = within(now - DAY, now + 1000)
    const before = within(now - 2 * DAY, now - DAY)
    const rate = (rows) => rows.length ? Math.round(10_000 * (1 - rows.filter((row) => row.decision === 'deny' || row.decision === 'require_approval').length / rows.length)) : 10_000
    const rules = new Map()
    for (const row of today) if (row.rule) rules.set(row.rule, (rules.get(row.rule) ?? 0) + 1)
    const hour = Math.ceil(now / 3_600_000) * 3_600_000
    return {
      commands: { now: today.length, before: before.length }, blocked: { now: today.filter((row) => row.decision === 'deny').length, before: before.filter((row) => row.decision === 'deny').length },
      waiting: state.approvals.filter((ask) => ask.status === 'pending').length, machines: state.machines.filter((m) => m.state !== 'retired').length, silent: state.machines.filter((m) => m.state === 'silent').length, quarantined: state.machines.filter((m) => m.state === 'quarantined').length,
      agents: 31, open_alerts: state.alerts.filter((alert) => alert.status === 'open').length, compliance: { now: rate(today), before: rate(before) }, compliance_target: 9900, policy_version: String(policy.version), machines_current: state.machines.filter((m) => m.policy_current && m.state !== 'retired').length,
      hours: histogram(within(hour - DAY, hour), hour - DAY, hour, 24), top_rules: [...rules].sort((a, b) => b[1] - a[1]).slice(0, 8).map(([name, count]) => ({ name, count })),
      changes: [
        { text: `${state.machines[3].hostname} has been silent since this morning`, link: `/fleet?id=${state.machines[3].machine_id}` },
        { text: 'gemini-cli was seen for the first time, on 2 machines of team data', link: '/search?q=agent:gemini-cli&range=24h' },
        { text: `${state.machines[11].hostname} refused policy 41: its engine is too old`, link: `/fleet?id=${state.machines[11].machine_id}` },
        { text: 'Blocked commands of team payments doubled', link: '/search?q=team:payments+decision:deny&range=24h' },
        { text: 'farah acknowledged “Code from the network was about to run as root”', link: '/alerts?status=acknowledged' },
      ],
    }
  }
  const ring = (name, takes, state, members, offered, current, wait_s) => ({ name, takes, state, members, offered, current, problems: 0, silent: name === 'canary' ? 1 : 0, wait_s })
  const rollout = { phase: 'spreading', reason: '' }
  const rolloutView = () => ({
    release: policy.version, phase: rollout.phase, reason: rollout.reason, begun: policy.published,
    rings: [ring('canary', '10.00 % of machines with ring=canary', 'open', 5, 5, 4, 1800), ring('early', '25.00 % of all machines', 'opening', 12, 9, 6, 14_400), ring('everybody', 'every machine that is left', 'closed', 28, 0, 0, 0)],
    max_in_flight: 9, away: 3, rollback_to: policy.version - 1, may: [rollout.phase === 'halted' ? 'continue' : 'halt', 'rollback'],
    gate: [['change', 'Change in interruptions per thousand commands', 12, 50, 'over 3110 commands'], ['problems', 'Machines that could not install it', 0, 0, ''], ['silent', 'Machines that went silent since', 1, 2, '']].map(([id, title, value, limit, note]) => ({ id, title, value, limit, note })),
  })
  const policyView = () => ({ ...policy, signing: 'server', root_waits: false, plan: 'rings: …', managed_by: null, draft: null, rollout: rolloutView(), sha256: sha(policy.source), machines_current: state.machines.filter((m) => m.policy_current && m.state !== 'retired').length, machines: 45 })
  const frameworks = [{ id: 'SOC2', title: 'SOC 2', edition: 'TSC 2017, points of focus 2022', controls: 7 }, { id: 'ISO27001', title: 'ISO/IEC 27001', edition: '2022, Annex A', controls: 6 }, { id: 'HIPAA', title: 'HIPAA Security Rule', edition: '45 CFR 164.312', controls: 4 }, { id: 'PCI', title: 'PCI DSS', edition: '4.0.1', controls: 5 }]
  function report(id, from, to, who) {
    const framework = frameworks.find((item) => item.id === id)
    if (!framework) throw new Refusal(404, 'not_found', 'there is no such framework')
    const rows = select(new URLSearchParams({ from, to })).rows
    const make = (eid, title, q, exceptions = []) => {
      const found = select(new URLSearchParams({ q, from, to })).rows
      return { id: eid, title, query: q, rows: found.length, sha256: sha(q + found.length), seed: sha(eid).slice(0, 16), sample: found.filter((_, i) => i % Math.max(1, Math.floor(found.length / 8)) === 0).slice(0, 8), exceptions }
    }
    const controls = [
      ['CC6.1', 'Logical access', 'Access to what matters is restricted to those who need it.', [make('E1', 'Privileged commands and their decision', 'risk:high')]],
      ['CC6.6', 'Threats from outside', 'Measures act against threats from outside the system boundary.', [make('E2', 'Code from the network that was stopped', 'rule:net.pipe-to-shell'), make('E3', 'Credentials that were to be sent out', 'rule:exfil.credentials', ['3 of them came from one person within an hour; see the alert.'])]],
      ['CC6.8', 'Unauthorised software', 'Installing unauthorised or malicious software is prevented or detected.', [make('E4', 'Installs that were warned about', 'rule:supply.unknown-package')]],
      ['CC7.2', 'Monitoring of anomalies', 'Components are monitored for what points to malicious acts, disasters and errors.', [make('E5', 'Commands of AI agents', 'origin:agent'), make('E6', 'Gaps in recording', 'type:gap', ['14 records of one machine are missing.'])]],
      ['CC7.3', 'Evaluation of events', 'Security events are evaluated for whether they are incidents.', [make('E7', 'Commands that were blocked', 'decision:deny')]],
      ['CC8.1', 'Change management', 'Changes are authorised, tested and approved before they are put in place.', [make('E8', 'Changes that needed approval', 'decision:require_approval'), make('E9', 'Policy releases installed', 'type:policy_updated')]],
      ['CC9.2', 'Vendors', 'Risks from vendors and partners are assessed and managed.', [make('E10', 'Inference at outside vendors', 'type:command_generated')]],
    ].slice(0, framework.controls).map(([cid, title, asks, evidence]) => ({ id: cid, title, asks, evidence }))
    return { framework, organisation: ORGANISATION, from, to, generated: iso(), generated_by: who, events: rows.length, completeness: { machines: 45, gaps: 1, missing: 14, tree_size: state.rows.length, root: sha(`root ${state.rows.length}`), verified: true }, compliance: 9874, controls }
  }
  const conditions = {
    'exfil.credentials-to-network': 'A command reads a file of credentials and sends to an address outside the organisation.',
    'agent.repeated-deny': 'The same agent session asks for a denied command three times within five minutes.',
    'machine.silent': 'A machine that should report was not heard from for an hour while its user is active elsewhere.',
    'shell.pipe-to-shell': 'A download feeds a shell or an interpreter.',
    'integrity.gap': 'Sequence numbers of a machine are missing.',
    'fs.home-delete': 'A recursive deletion reaches a home directory or the root.',
    'git.force-push-burst': 'More than three forced pushes of one person within an hour.',
  }
  const detections = state.alerts.map((alert) => ({ id: alert.detection, title: alert.title, severity: alert.severity, condition: conditions[alert.detection] ?? alert.summary, actions: alert.severity === 'critical' ? ['alert', 'quarantine'] : ['alert'], enabled: true }))

  function send(kind, data, id) {
    for (const feed of feeds) feed.write(`${id ? `id: ${id}\n` : ''}event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  let next = state.rows.length
  const ticker = live ? setInterval(() => {
    const row = state.nextEvent(next, Date.now() - 400)
    row.received = iso()
    next += 1
    state.rows.push(row)
    send('event', row, row.row)
  }, 700) : null

  const rank = { viewer: ['viewer'], auditor: ['viewer', 'auditor'], security: ['viewer', 'security'], administrator: ['viewer', 'auditor', 'security', 'administrator'] }
  async function answer(request, response, url) {
    const path = url.pathname.slice('/api/v1/'.length)
    const method = request.method
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {}
    const json = (data, status = 200, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
      response.end(JSON.stringify(data))
    }
    const empty = () => response.writeHead(204).end()
    if (method !== 'GET' && request.headers['x-cmdai'] !== '1') throw new Refusal(403, 'forbidden', 'the header x-cmdai is missing')
    const id = /cmdai_session=([0-9a-f]+)/.exec(request.headers.cookie ?? '')?.[1]
    const me = sessions.get(id)
    const believed = (login, act) => {
      const proof = JSON.parse(Buffer.from(request.headers['x-cmdai-assertion'], 'base64url').toString())
      const { challenge: answered, type } = JSON.parse(Buffer.from(proof.client_data_json, 'base64url').toString())
      const asked = challenges.get(answered)
      challenges.delete(answered)
      const known = factors.some((factor) => factor.credential === proof.credential_id && factor.login === login)
      return known && type === 'webauthn.get' && asked?.act === act && asked.statement === proof.statement
    }
    if (path.startsWith('session') && method === 'POST') {
      const user = users.find((candidate) => candidate.login === body.login)
      if (!user || body.password !== PASSWORD) throw new Refusal(401, 'unauthenticated', 'login or password is not right')
      if (path === 'session/challenge') return json(challenge(user, 'POST /api/v1/session'))
      const own = factors.filter((factor) => factor.confirmed && factor.login === user.login)
      const code = request.headers['x-cmdai-code']
      const proven = request.headers['x-cmdai-assertion'] ? believed(user.login, 'POST /api/v1/session') : own.some((factor) => factor.kind === 'totp' && code === totp(factor.secret)) || recovery.includes(code)
      if (own.length > 0 && !proven) throw new Refusal(403, 'factor_required', 'type the code of your authenticator app too, or a recovery code')
      const fresh = randomBytes(16).toString('hex')
      const made = { login: user.login, role: user.role, organisation: ORGANISATION, initial_password: false, groups: user.groups, second_factor: factors.some((factor) => factor.confirmed && factor.login === user.login), security_key: factors.some((factor) => factor.kind === 'webauthn' && factor.login === user.login), factor_missing: false }
      sessions.set(fresh, made)
      return json(made, 200, { 'set-cookie': `cmdai_session=${fresh}; HttpOnly; SameSite=Strict; Path=/` })
    }
    if (!me) throw new Refusal(401, 'unauthenticated', 'sign in first')
    const need = (role) => { if (!rank[me.role].includes(role)) throw new Refusal(403, 'forbidden', `this needs the role ${role}; yours is ${me.role}`) }
    const stepUp = (password = body.password) => {
      // Signatures are the real server's to verify; here the challenge must be the one of this act.
      if (request.headers['x-cmdai-assertion']) {
        if (!believed(me.login, `${method} ${url.pathname}`)) throw new Refusal(403, 'factor_required', 'this answers no challenge for this act')
        return
      }
      if (password !== PASSWORD) throw new Refusal(403, 'step_up_required', 'the password is not right; nothing was changed')
      const code = request.headers['x-cmdai-code'] ?? ''
      const mine = factors.find((factor) => factor.confirmed && factor.kind === 'totp' && factor.login === me.login)
      if (mine && !recovery.includes(code) && code !== totp(mine.secret)) throw new Refusal(403, 'factor_required', 'type the code of your authenticator app too, or a recovery code')
      recovery = recovery.filter((known) => known !== code)
    }
    const [head, a, b] = path.split('/').map(decodeURIComponent)
    switch (`${method} ${head}`) {
      case 'GET session': return json(me)
      case 'DELETE session': sessions.delete(id); return empty()
      case 'GET overview': return json(overview())
      case 'GET events': {
        if (a === 'histogram') {
          const found = select(url.searchParams)
          const to = Number.isFinite(found.to) ? found.to : Date.now()
          const from = found.from || to - 30 * DAY
          return json({ buckets: histogram(found.rows, from, to, Number(url.searchParams.get('buckets') ?? 60)) })
        }
        if (a) {
          const row = state.rows.find((candidate) => candidate.event_id === a)
          if (!row) throw new Refusal(404, 'not_found', 'there is no such event')
          return json(state.full(row))
        }
        const found = select(url.searchParams)
        const rows = found.rows.reverse()
        const limit = Number(url.searchParams.get('limit') ?? 100)
        const cursor = url.searchParams.get('cursor')
        const at = cursor ? Math.max(0, rows.findIndex((row) => row.row < Number(cursor))) : 0
        const page = rows.slice(at, at + limit)
        return json({ rows: page, cursor: at + limit < rows.length ? String(page.at(-1).row) : null, total: Math.min(10_000, rows.length), total_is_bound: rows.length > 10_000, problems: found.problems })
      }
      case 'GET live': {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
        response.write(': hello\n\n')
        const after = Number(request.headers['last-event-id'] ?? -1)
        if (after >= 0) for (const row of state.rows.filter((candidate) => candidate.row > after)) response.write(`id: ${row.row}\nevent: event\ndata: ${JSON.stringify(row)}\n\n`)
        feeds.add(response)
        response.on('close', () => feeds.delete(response))
        return
      }
      case 'GET alerts': return json({ alerts: state.alerts })
      case 'POST alerts': {
        need('security')
        const alert = state.alerts.find((candidate) => candidate.id === a)
        if (!alert) throw new Refusal(404, 'not_found', 'there is no such alert')
        if (body.status === 'closed' && !body.disposition) throw new Refusal(422, 'invalid', 'closing needs a disposition')
        for (const key of ['status', 'assignee', 'disposition']) if (body[key]) alert[key] = body[key]
        if (body.note) alert.notes.push({ time: iso(), author: me.login, text: body.note })
        send('alert', alert)
        return json(alert)
      }
      case 'GET approvals': return json({ approvals: state.approvals })
      case 'POST approvals': {
        need('security')
        stepUp()
        const ask = state.approvals.find((candidate) => candidate.id === a)
        if (!ask || ask.status !== 'pending') throw new Refusal(409, 'conflict', 'this request is decided already')
        if (body.binding_hash !== ask.binding_hash) throw new Refusal(409, 'conflict', 'this is not the request that you looked at; look again')
        ask.votes.push({ login: me.login, person: me.login, approve: body.approve, factor: 'password', reason: body.reason, time: iso() })
        if (body.approve) ask.given += 1
        if (!body.approve || ask.given >= ask.needed) Object.assign(ask, { status: body.approve ? 'granted' : 'denied', approver: me.login, decision_reason: body.reason, decided: iso() })
        send('approval', ask)
        return json(ask)
      }
      case 'GET machines': {
        if (!a) return json({ machines: state.machines })
        const machine = state.machines.find((candidate) => candidate.machine_id === a)
        if (!machine) throw new Refusal(404, 'not_found', 'there is no such machine')
        return json(machine)
      }
      case 'POST machines': {
        need('security')
        stepUp()
        const machine = state.machines.find((candidate) => candidate.machine_id === a)
        Object.assign(machine, { state: body.on ? 'quarantined' : 'active', quarantine: body.on ? body.reason : null, order_done: false })
        setTimeout(() => (machine.order_done = true), 3000).unref()
        return json(machine)
      }
      case 'GET exceptions': return json({ exceptions: state.exceptions })
      case 'POST exceptions': {
        need('security')
        stepUp()
        const one = state.exceptions.find((candidate) => candidate.id === a)
        Object.assign(one, { status: 'revoked', revoked: iso(), revoked_by: me.login, revoked_reason: body.reason })
        return json(one)
      }
      case 'GET emergencies': return json({ emergencies: state.emergencies })
      case 'POST emergencies': {
        need('security')
        stepUp()
        const one = state.emergencies.find((candidate) => candidate.id === a)
        Object.assign(one, { status: 'reviewed', reviewed: iso(), reviewed_by: me.login, verdict: body.verdict, note: body.note })
        return json(one)
      }
      case 'GET factors': return json({ factors: factors.filter((factor) => factor.login === me.login).map(({ secret, login, credential, ...factor }) => factor), recovery_codes: recovery.length, required: false })
      case 'POST challenges': return json(challenge(me, body.act))
      case 'POST factors': {
        if (a === 'webauthn' && !b) {
          stepUp()
          const { challenge: asked, rp_id, timeout_ms, credentials } = challenge(me, `add ${body.name}`)
          return json({ challenge: asked, rp_id, rp_name: `cmdai ${ORGANISATION}`, user_id: b64(me.login), user_name: me.login, algorithms: [-7, -8], exclude: credentials, timeout_ms })
        }
        if (a === 'webauthn' && b === 'confirm') {
          const asked = challenges.get(body.challenge)
          challenges.delete(body.challenge)
          if (!asked?.act.startsWith('add ')) throw new Refusal(409, 'conflict', 'this took too long or was answered already; begin again')
          const factor = { id: randomBytes(8).toString('hex'), kind: 'webauthn', name: asked.act.slice(4), login: me.login, credential: body.credential_id, confirmed: true, created: iso(), last_used: null }
          factors.push(factor)
          Object.assign(me, { second_factor: true, security_key: true })
          recovery = Array.from({ length: 8 }, (_, i) => `ABCD${i}-EFGH${i}-JKLM${i}-NPQR${i}`)
          const { login, credential, ...shown } = factor
          return json({ factor: shown, recovery_codes: recovery, on_machines: true })
        }
        if (a !== 'totp') {
          stepUp()
          factors = factors.filter((factor) => factor.id !== a)
          me.second_factor = factors.some((factor) => factor.login === me.login)
          me.security_key = factors.some((factor) => factor.kind === 'webauthn' && factor.login === me.login)
          return empty()
        }
        const there = factors.find((factor) => factor.id === b)
        if (!b) {
          stepUp()
          factors.push({ id: randomBytes(8).toString('hex'), kind: 'totp', name: body.name, login: me.login, secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', confirmed: false, created: iso(), last_used: null })
          return json({ id: factors.at(-1).id, secret: factors.at(-1).secret, uri: `otpauth://totp/cmdai:${me.login}?secret=${factors.at(-1).secret}` })
        }
        if (body.code !== totp(there.secret)) throw new Refusal(403, 'factor_required', 'the code does not fit; is the clock of the telephone right?')
        there.confirmed = true
        me.second_factor = true
        recovery = Array.from({ length: 8 }, (_, i) => `ABCD${i}-EFGH${i}-JKLM${i}-NPQR${i}`)
        return json({ codes: recovery })
      }
      case 'POST password': stepUp(); return empty()
      case 'GET tokens': return json({ tokens })
      case 'DELETE tokens': tokens = tokens.filter((token) => token.id !== a); return empty()
      case 'POST enrolment-tokens': {
        need('administrator')
        stepUp()
        const token = `cmdai-enrol-1.${sha(`token ${body.person}`).slice(0, 40)}`
        return json({ token, expires: iso(Date.now() + body.hours * 3_600_000), command: `sudo cmdai-enterprise enrol --server https://cmdai.northwind.example:8443 --token ${token}` })
      }
      case 'POST policy/impact': return json({ impact: { ...policy.history.find((one) => one.impact).impact, against: policy.version }, commands: [{ text: 'rm -rf /srv/prod/logs', old: 'confirm', new: 'deny', count: 31, rule: 'data.prod-delete' }] })
      case 'GET policy': return json(policyView())
      case 'POST policy': {
        if (a === 'check') return json(checkPolicy(body.source))
        need('security')
        stepUp()
        if (a === 'rollout') {
          Object.assign(rollout, body.action === 'halt' ? { phase: 'halted', reason: body.reason } : { phase: 'spreading', reason: '' })
          return json(policyView())
        }
        if (body.base_version !== policy.version) throw new Refusal(409, 'conflict', `version ${policy.version} is in force, yours was made from ${body.base_version}`)
        const found = checkPolicy(body.source)
        if (!found.valid) return json(found, 422)
        Object.assign(policy, { version: policy.version + 1, source: body.source, published_by: me.login, published: iso() })
        policy.history.unshift({ version: policy.version, published_by: me.login, published: policy.published, note: body.note, sha256: sha(body.source), reviewed_by: '', impact: null, impact_sha256: '' })
        for (const machine of state.machines) machine.policy_current = false
        return json(policyView())
      }
      case 'GET detections': return json({ detections })
      case 'GET reports': {
        if (a === 'frameworks') return json({ frameworks })
        need('auditor')
        const made = report(a, url.searchParams.get('from') ?? '', url.searchParams.get('to') ?? iso(), me.login)
        if (b === 'html') {
          response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
          return response.end(`<!doctype html><html lang="en"><title>${made.framework.title}</title><h1>${made.framework.title}</h1><p>${made.organisation}</p>`)
        }
        return json(made)
      }
      case 'GET export': need('auditor'); response.writeHead(200, { 'content-type': 'application/x-ndjson' }); return response.end(JSON.stringify({ export: { format: 'cmdai.export/1' } }) + '\n')
      case 'GET ledger': return json({ events: state.rows.length, public_key: Buffer.from(sha('key'), 'hex').toString('base64'), checkpoint: { origin: 'northwind.example/cmdai', tree_size: state.rows.length, root: sha(`root ${state.rows.length}`), time: iso(Date.now() - 20_000), note: `northwind.example/cmdai\n${state.rows.length}\n${Buffer.from(sha(`root ${state.rows.length}`), 'hex').toString('base64')}\n\n— northwind.example/cmdai ${Buffer.from(sha('signature') + sha('more'), 'hex').toString('base64')}` } })
      case 'GET channels': need('administrator'); return json({ channels })
      case 'PUT channels': need('administrator'); channels = [...channels.filter((item) => item.id !== a), { ...body, secret: null }]; return json(channels.at(-1))
      case 'DELETE channels': need('administrator'); channels = channels.filter((item) => item.id !== a); return empty()
      case 'POST channels': {
        need('administrator')
        const tried = { time: iso(), channel: a, alert: 'test', attempt: 1, status: 200, error: null }
        deliveries.unshift(tried)
        return json(tried)
      }
      case 'GET deliveries': return json({ deliveries })
      case 'GET users': need('administrator'); return json({ users })
      case 'POST users': {
        need('administrator')
        if (a) {
          stepUp()
          const user = users.find((candidate) => candidate.login === a)
          Object.assign(user, { role: body.role ?? user.role, groups: body.groups ?? user.groups, chat: body.chat ?? user.chat })
          return json(user)
        }
        stepUp(body.your_password)
        users.push({ login: body.login, role: body.role, person: body.person, groups: body.groups ?? [], chat: null, second_factor: false, created: iso(), last_seen: null })
        return json(users.at(-1))
      }
      case 'DELETE users': need('administrator'); users.splice(users.findIndex((user) => user.login === a), 1); return empty()
      case 'POST tokens': tokens.unshift({ id: randomBytes(8).toString('hex'), name: body.name, login: me.login, created: iso(), expires: iso(Date.now() + body.days * DAY) }); return json({ token: `cmdai_pat_${randomBytes(20).toString('hex')}`, expires: iso(Date.now() + body.days * DAY) })
      default: throw new Refusal(404, 'not_found', 'there is no such address')
    }
  }

  async function file(response, url) {
    const nonce = randomBytes(16).toString('base64')
    const wanted = normalize(url.pathname).replace(/^(\.\.[/\\])+/, '')
    const name = extname(wanted) ? wanted : '/index.html'
    let content = await readFile(join(dist, name)).catch(() => null)
    if (!content) return response.writeHead(404).end()
    if (name === '/index.html') content = content.toString().replaceAll('{{nonce}}', nonce)
    response.writeHead(200, {
      'content-type': types[extname(name)] ?? 'application/octet-stream', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer',
      'content-security-policy': `default-src 'none'; script-src 'self' 'nonce-${nonce}'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'`,
    })
    response.end(content)
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://console')
    const work = url.pathname.startsWith('/api/v1/') ? answer(request, response, url) : dist ? file(response, url) : Promise.reject(new Refusal(404, 'not_found', 'only the API is here'))
    work.catch((problem) => {
      const status = problem instanceof Refusal ? problem.status : 500
      if (status === 500) console.error(problem)
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ code: problem.code ?? 'internal', message: problem.message }))
    })
  })
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve({
      port: server.address().port,
      state,
      send,
      stop: () => {
        if (ticker) clearInterval(ticker)
        for (const feed of feeds) feed.destroy()
        server.closeAllConnections()
        return new Promise((done) => server.close(done))
      },
    }))
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const option = (name, fallback) => { const at = process.argv.indexOf(`--${name}`); return at > 0 ? process.argv[at + 1] : fallback }
  const dist = option('dist', null)
  const { port } = await start({ port: Number(option('port', 8787)), dist })
  console.log(`http://127.0.0.1:${port}  sign in as dana, farah, omar or vera with “${PASSWORD}”`)
}
