import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo, useState, type FormEvent } from 'react'
import { api, may, take, type Machine, type Schemas, withCode } from '../api/client'
import { machineQuery, machinesQuery } from '../api/queries'
import { forbidden, Page, useMe } from '../app/App'
import { useKey } from '../app/keys'
import { download, table } from '../ui/csv'
import { Icon } from '../ui/icons'
import { Dialog, Proof, Drawer } from '../ui/overlay'
import { Rows, type Column } from '../ui/rows'
import { Copy, CopyBox, count, Hint, MachineState, SafeText, some, Time } from '../ui/show'
import { Empty, Failed, Loading, Problem } from '../ui/states'
import { absolute } from '../ui/time'
import { Quarantine } from './quarantine'

const states = ['all', 'silent', 'quarantined', 'active', 'retired'] as const
const order: Record<string, number> = { silent: 0, quarantined: 1, active: 2, retired: 3 }
const keyOf = (machine: Machine) => machine.machine_id

export function Fleet() {
  const machines = useQuery(machinesQuery)
  const params = useSearch({ from: '/fleet' }) as { q?: string; state?: string; id?: string }
  const navigate = useNavigate()
  const me = useMe()
  const [enrol, setEnrol] = useState(false)
  const all = machines.data?.machines ?? []
  const state = params.state ?? 'all'
  const q = (params.q ?? '').toLowerCase()
  const set = useCallback((change: { q?: string; state?: string; id?: string }) => void navigate({ to: '/fleet', replace: true, search: (before: object) => ({ ...before, ...change }) }), [navigate])
  const list = useMemo(
    () =>
      all
        .filter((machine) => (state === 'all' || machine.state === state) && (!q || [machine.hostname, machine.machine_id, machine.person, machine.platform, ...Object.entries(machine.labels).flat()].some((text) => text.toLowerCase().includes(q))))
        .sort((a, b) => (order[a.state] ?? 9) - (order[b.state] ?? 9) || Number(a.policy_current) - Number(b.policy_current) || b.violations - a.violations || a.hostname.localeCompare(b.hostname)),
    [all, state, q],
  )
  const chosen = params.id ?? null
  const open = useCallback((machine: Machine) => set({ id: machine.machine_id }), [set])
  const close = useCallback(() => set({ id: undefined }), [set])
  useKey('Escape', close, chosen !== null)
  const narrow = chosen !== null
  const columns = useMemo<Column<Machine>[]>(() => {
    const list: (Column<Machine> & { wide?: boolean })[] = [
      { name: 'State', width: '108px', cell: (machine) => <MachineState state={machine.state} /> },
      { name: 'Machine', width: 'minmax(130px, 1.2fr)', cell: (machine) => <button type="button" className="cellbtn" style={{ fontWeight: 560 }} onClick={(event) => { event.stopPropagation(); open(machine) }}><SafeText>{machine.hostname}</SafeText></button> },
      { name: 'Person', width: 'minmax(90px, 1fr)', cell: (machine) => <SafeText>{machine.person}</SafeText> },
      { name: 'Last seen', width: '88px', cell: (machine) => <span className={machine.state === 'silent' ? '' : 'soft'}><Time at={machine.last_seen} /></span> },
      { name: 'Policy', width: '104px', cell: (machine) => machine.policy_problem ? <span className="tag red"><Icon name="warn" size={12} />{machine.engine_too_old ? 'too old' : 'refused'}</span> : machine.policy_current ? <span className="soft"><SafeText>{machine.policy_version}</SafeText></span> : <span className="tag amber">{machine.policy_version ? <SafeText>{machine.policy_version}</SafeText> : 'none'} old</span> },
      { name: 'Platform', width: '118px', wide: true, cell: (machine) => <span className="soft"><SafeText>{machine.platform}</SafeText></span> },
      { name: 'Behind', width: '64px', num: true, wide: true, cell: (machine) => machine.head_seq > machine.acked_seq ? <span title="Events sealed on the machine that have not arrived yet">{count(machine.head_seq - machine.acked_seq)}</span> : <span className="muted">0</span> },
      { name: 'Gaps', width: '48px', num: true, wide: true, cell: (machine) => machine.gaps > 0 ? <span className="tag red">{count(machine.gaps)}</span> : <span className="muted">0</span> },
      { name: 'Commands 24 h', width: '104px', num: true, wide: true, cell: (machine) => count(machine.commands) },
      { name: 'Violations', width: '72px', num: true, cell: (machine) => machine.violations > 0 ? <b>{count(machine.violations)}</b> : <span className="muted">0</span> },
    ]
    return narrow ? list.filter((column) => !column.wide) : list
  }, [open, narrow])
  const admin = may(me, 'administrator')

  return (
    <Page
      title="Fleet" fill sub={machines.data ? `${some(all.length, 'machine')}, silent ones first` : 'Machines'}
      actions={
        <>
          <button type="button" className="btn" disabled={list.length === 0} onClick={() => {
            const head = ['hostname', 'machine_id', 'state', 'person', 'platform', 'policy_version', 'policy_current', 'last_seen', 'acked_seq', 'head_seq', 'gaps', 'commands', 'violations', 'enrolled']
            download('cmdai-fleet.csv', 'text/csv;charset=utf-8', table(head, list.map((machine) => head.map((name) => machine[name as keyof Machine]))))
          }}><Icon name="download" size={14} />Export CSV</button>
          <button type="button" className="btn primary" disabled={!admin} title={forbidden(me, admin)} onClick={() => setEnrol(true)}><Icon name="plus" size={14} />Enrol a machine</button>
        </>
      }
    >
      <div className="toolbar">
        <div className="searchbox" style={{ maxWidth: 420 }}>
          <Icon name="search" size={15} />
          <input className="input" data-search aria-label="Filter machines" placeholder="Host name, person, platform or label" value={params.q ?? ''} onChange={(event) => set({ q: event.target.value || undefined })} autoComplete="off" />
          {!q && <kbd aria-hidden="true">/</kbd>}
        </div>
        <span className="spring" />
        <div className="segs" role="group" aria-label="State">
          {states.map((name) => (
            <button key={name} type="button" aria-pressed={state === name} onClick={() => set({ state: name === 'all' ? undefined : name })}>
              {name.charAt(0).toUpperCase() + name.slice(1)} <span className="n">{count(name === 'all' ? all.length : all.filter((machine) => machine.state === name).length)}</span>
            </button>
          ))}
        </div>
      </div>
      <div className="split">
        {machines.isPending ? <div className="vt"><Loading rows={12} /></div> : machines.isError && !machines.data ? <div className="vt"><Failed problem={machines.error} retry={() => void machines.refetch()} /></div> : (
          <Rows
            label="Machines" columns={columns} rows={list} keyOf={keyOf} active={chosen} onOpen={open} height={38} minWidth={narrow ? 560 : 960}
            empty={all.length === 0
              ? <Empty icon="fleet" title="No machine is enrolled" action={admin && <button type="button" className="btn primary" onClick={() => setEnrol(true)}>Enrol a machine</button>}>Make a token, type one command on the machine, and it appears here.</Empty>
              : <Empty icon="search" title="No machine matches" action={<button type="button" className="btn" onClick={() => set({ q: undefined, state: undefined })}>Show all</button>} />}
            foot={<span>{count(list.length)}{list.length !== all.length ? ` of ${count(all.length)}` : ''} machines</span>}
          />
        )}
        {chosen && <MachineDrawer id={chosen} onClose={close} />}
      </div>
      {enrol && <EnrolDialog onClose={() => setEnrol(false)} />}
    </Page>
  )
}

function MachineDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const query = useQuery(machineQuery(id))
  const me = useMe()
  const allowed = may(me, 'security')
  const [ask, setAsk] = useState(false)
  const machine = query.data
  const held = machine?.state === 'quarantined'
  return (
    <Drawer
      label="Machine" onClose={onClose}
      title={<h2 className="ellipsis">{machine ? <SafeText>{machine.hostname}</SafeText> : 'Machine'}</h2>}
      foot={machine && (
        <>
          <Link className="btn" to="/search" search={{ q: `machine:${machine.machine_id}`, range: '7d' }}><Icon name="search" size={14} />Events</Link>
          <button type="button" className={held ? 'btn primary' : 'btn danger'} disabled={!allowed} title={forbidden(me, allowed)} onClick={() => setAsk(true)}><Icon name="lock" size={14} />{held ? 'Release…' : 'Quarantine…'}</button>
        </>
      )}
    >
      {!machine ? (query.isError ? <Failed problem={query.error} retry={() => void query.refetch()} /> : <Loading />) : (
        <>
          <div className="row wrap">
            <MachineState state={machine.state} />
            {machine.gaps > 0 && <span className="tag red">{some(machine.gaps, 'gap')}</span>}
            {!machine.policy_current && <span className="tag amber">old policy</span>}
            {machine.engine_too_old && <span className="tag red">engine too old</span>}
          </div>
          {held && <Hint icon="lock">{machine.quarantine ? <SafeText>{machine.quarantine}</SafeText> : 'In quarantine.'} {machine.order_done ? 'The machine carries it out.' : 'Ordered; the machine has not confirmed it yet.'}</Hint>}
          {!held && !machine.order_done && <Hint icon="clock">The release is ordered; the machine has not confirmed it yet.</Hint>}
          {machine.policy_problem && <Problem problem={`The newest policy was refused: ${machine.policy_problem}`} />}
          {machine.state === 'silent' && <Hint icon="silent">It was last heard from <Time at={machine.last_seen} />. The policy that it has stays in force there; what it records arrives when it is back.</Hint>}
          <section className="sect">
            <h3>Machine</h3>
            <dl className="kv">
              <dt>Person</dt><dd><Link to="/search" search={{ q: `user:${machine.person}`, range: '7d' }}><SafeText>{machine.person}</SafeText></Link></dd>
              <dt>Platform</dt><dd><SafeText>{machine.platform}</SafeText></dd>
              <dt>Id</dt><dd className="row"><span className="hash wrap-any"><SafeText>{machine.machine_id}</SafeText></span><Copy text={machine.machine_id} label="Copy the machine id" /></dd>
              <dt>Enrolled</dt><dd><Time at={machine.enrolled} /> <span className="muted">{absolute(machine.enrolled)}</span></dd>
              <dt>Last seen</dt><dd><Time at={machine.last_seen} /></dd>
              <dt>Labels</dt><dd className="row wrap">{Object.entries(machine.labels).length === 0 ? <span className="muted">none</span> : Object.entries(machine.labels).map(([name, value]) => <span key={name} className="tag"><SafeText>{`${name}=${value}`}</SafeText></span>)}</dd>
            </dl>
          </section>
          <section className="sect">
            <h3>Policy and versions</h3>
            <dl className="kv">
              <dt>Policy</dt><dd><SafeText>{machine.policy_version || 'none'}</SafeText> <span className="muted">{machine.policy_current ? 'the newest' : 'not the newest'}</span></dd>
              {Object.entries(machine.versions).map(([name, value]) => <FragmentPair key={name} name={name} value={value} />)}
              <dt>Capture</dt><dd className="row wrap">{machine.capabilities.length === 0 ? <span className="muted">nothing told</span> : machine.capabilities.map((name) => <span key={name} className="tag"><SafeText>{name}</SafeText></span>)}</dd>
            </dl>
          </section>
          <section className="sect">
            <h3>Completeness</h3>
            <dl className="kv">
              <dt>Stored</dt><dd>{count(machine.acked_seq)} of {count(machine.head_seq)} events that it sealed</dd>
              <dt>On the way</dt><dd>{count(Math.max(0, machine.head_seq - machine.acked_seq))}</dd>
              <dt>Gaps</dt><dd>{machine.gaps > 0 ? <Link to="/search" search={{ q: `machine:${machine.machine_id} type:gap`, range: '90d' }}>{count(machine.gaps)}</Link> : 'none'}</dd>
              <dt>Last 24 h</dt><dd>{some(machine.commands, 'command')}, <Link to="/search" search={{ q: `machine:${machine.machine_id} type:command_blocked,policy_violation`, range: '24h' }}>{some(machine.violations, 'violation')}</Link></dd>
            </dl>
          </section>
        </>
      )}
      {ask && machine && <Quarantine on={!held} machineId={machine.machine_id} hostname={machine.hostname} onClose={() => setAsk(false)} />}
    </Drawer>
  )
}

function FragmentPair({ name, value }: { name: string; value: string }) {
  return <><dt><SafeText>{name}</SafeText></dt><dd><SafeText>{value}</SafeText></dd></>
}

/** `a=b, c=d` as labels; what has no `=` is refused by name. */
function labels(text: string): Record<string, string> {
  const out: Record<string, string> = {}
  for (const part of text.split(',').map((word) => word.trim()).filter(Boolean)) {
    const at = part.indexOf('=')
    if (at < 1) throw new Error(`label “${part}” is not written as name=value`)
    out[part.slice(0, at).trim()] = part.slice(at + 1).trim()
  }
  return out
}

function EnrolDialog({ onClose }: { onClose: () => void }) {
  const [person, setPerson] = useState('')
  const [teams, setTeams] = useState('')
  const [words, setWords] = useState('')
  const [hours, setHours] = useState('24')
  const [uses, setUses] = useState('1')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const [made, setMade] = useState<Schemas['EnrolmentToken'] | null>(null)
  async function submit(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    setProblem(undefined)
    try {
      setMade(await withCode(code, () => take(api.POST('/api/v1/enrolment-tokens', {
        body: { password, person: person.trim(), teams: teams.split(',').map((team) => team.trim()).filter(Boolean), labels: labels(words), hours: Number(hours), uses: Number(uses) },
      }))))
    } catch (cause) {
      setProblem(cause)
    }
    setBusy(false)
  }
  if (made) {
    return (
      <Dialog title="Type this on the machine" onClose={onClose} wide>
        <div className="dlg-body">
          <Hint icon="lock">The token is shown once. It lapses <Time at={made.expires} /> ({absolute(made.expires)}).</Hint>
          <CopyBox text={made.command} label="Copy the command" />
          <details>
            <summary>The token alone</summary>
            <CopyBox text={made.token} label="Copy the token" />
          </details>
          <p className="soft">The machine appears in the fleet at its first contact; its policy is in force before the first command is judged.</p>
        </div>
        <div className="dlg-foot"><button type="button" className="btn primary" onClick={onClose}>Done</button></div>
      </Dialog>
    )
  }
  return (
    <Dialog title="Enrol a machine" onClose={onClose}>
      <form onSubmit={submit}>
        <div className="dlg-body">
          <label className="field"><span>Person</span><input className="input" autoFocus required value={person} onChange={(event) => setPerson(event.target.value)} placeholder="login name on the machine" /></label>
          <div className="row" style={{ alignItems: 'flex-start', gap: 12 }}>
            <label className="field spring"><span>Teams</span><input className="input" value={teams} onChange={(event) => setTeams(event.target.value)} placeholder="platform, payments" /></label>
            <label className="field spring"><span>Labels</span><input className="input" value={words} onChange={(event) => setWords(event.target.value)} placeholder="ring=canary, zone=eu" /></label>
          </div>
          <div className="row" style={{ alignItems: 'flex-start', gap: 12 }}>
            <label className="field spring"><span>May wait, in hours</span><input className="input" type="number" min={1} max={720} required value={hours} onChange={(event) => setHours(event.target.value)} /></label>
            <label className="field spring"><span>Machines that may use it</span><input className="input" type="number" min={1} required value={uses} onChange={(event) => setUses(event.target.value)} /></label>
          </div>
          <Proof password={password} onPassword={setPassword} code={code} onCode={setCode} />
          <Problem problem={problem} />
        </div>
        <div className="dlg-foot">
          <button type="button" className="btn" onClick={onClose}>Cancel</button>
          <button type="submit" className="btn primary" disabled={busy || !person.trim() || !password}>Make the token</button>
        </div>
      </form>
    </Dialog>
  )
}
