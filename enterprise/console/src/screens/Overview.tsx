import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useRouter } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Alert, Machine, Overview as Data, Trend } from '../api/client'
import { alertsQuery, machinesQuery, overviewQuery } from '../api/queries'
import { Page } from '../app/App'
import { Legend, StackedBars } from '../ui/chart'
import { Icon, type IconName } from '../ui/icons'
import { count, MachineState, percent, SafeText, Severity, Time } from '../ui/show'
import { Empty, Failed, Loading } from '../ui/states'

export function Overview() {
  const overview = useQuery(overviewQuery)
  return (
    <Page title="Overview" sub="Last 24 hours, beside the 24 hours before">
      {overview.data ? <Board data={overview.data} /> : overview.isError ? <Failed problem={overview.error} retry={() => void overview.refetch()} /> : <Loading rows={12} />}
    </Page>
  )
}

function Board({ data }: { data: Data }) {
  const alerts = useQuery(alertsQuery)
  const machines = useQuery(machinesQuery)
  const open = (alerts.data?.alerts ?? []).filter((alert) => alert.status === 'open').sort((a, b) => weight(b) - weight(a))
  const troubled = (machines.data?.machines ?? []).filter((machine) => machine.state === 'silent' || machine.state === 'quarantined')
  const navigate = useNavigate()
  const low = data.compliance.now < data.compliance_target
  if (data.machines === 0 && data.commands.now === 0) {
    return (
      <Empty icon="fleet" title="No machine is enrolled yet" action={<Link to="/fleet" className="btn primary">Enrol a machine</Link>}>
        Make an enrolment token, type one command on the machine, and its events appear here within a second.
      </Empty>
    )
  }
  return (
    <>
      <div className="tiles">
        <Tile name="Commands" icon="live" value={count(data.commands.now)} to="/search" search={{ q: 'type:command_executed,command_blocked,policy_violation', range: '24h' }} under={<Delta trend={data.commands} />} />
        <Tile name="Blocked" icon="deny" value={count(data.blocked.now)} to="/search" search={{ q: 'type:command_blocked', range: '24h' }} under={<Delta trend={data.blocked} better="less" />} />
        <Tile name="Waiting for approval" icon="approve" value={count(data.waiting)} to="/approvals" under={data.waiting === 0 ? 'nobody waits' : 'decide now'} />
        <Tile name="Open alerts" icon="alert" value={count(data.open_alerts)} to="/alerts" search={{ status: 'open' }} under={data.open_alerts === 0 ? 'all handled' : worst(open)} />
        <Tile
          name="Machines" icon="fleet" value={count(data.machines)} to="/fleet"
          under={data.silent + data.quarantined === 0 ? 'all reporting' : <span className={data.silent > 0 ? 'delta bad' : undefined}>{data.silent} silent{data.quarantined > 0 ? ` · ${data.quarantined} quarantined` : ''}</span>}
        />
        <Tile name="AI agents" icon="agent" value={count(data.agents)} to="/search" search={{ q: 'origin:agent', range: '24h' }} under="seen acting" />
      </div>
      <div className="grid-2">
        <section className="card">
          <div className="card-head">
            <h2>Activity by hour</h2>
            <span className="more"><Legend buckets={data.hours} /></span>
          </div>
          <div className="card-body">
            <StackedBars
              buckets={data.hours} height={206} label="Events of each of the last 24 hours by decision"
              onBucket={(from, to) => void navigate({ to: '/search', search: { from: new Date(from).toISOString(), to: new Date(to).toISOString() } })}
            />
          </div>
        </section>
        <section className="card" style={{ display: 'flex', flexDirection: 'column' }}>
          <div className="card-head">
            <h2>Policy compliance</h2>
            <Link className="more" to="/search" search={{ q: 'type:command_blocked,policy_violation', range: '24h' }}>Rows behind it</Link>
          </div>
          <div className="card-body stack" style={{ flex: 1 }}>
            <div className="row" style={{ alignItems: 'baseline', gap: 10 }}>
              <span style={{ fontSize: 34, fontWeight: 600, letterSpacing: '-0.03em', lineHeight: 1.15 }}>{percent(data.compliance.now)}<span className="muted" style={{ fontSize: 19, fontWeight: 500 }}> %</span></span>
              <span className={`delta ${data.compliance.now >= data.compliance.before ? 'good' : 'bad'}`}>{points(data.compliance)}</span>
            </div>
            <Target value={data.compliance.now} target={data.compliance_target} />
            <p className="soft">
              {low ? 'Below' : 'Above'} the target of {percent(data.compliance_target)} %: of 10,000 commands judged, {count(10_000 - data.compliance.now)} went against policy.
            </p>
            <dl className="kv" style={{ marginTop: 'auto' }}>
              <dt>Policy in force</dt>
              <dd><Link to="/policy"><SafeText>{data.policy_version || 'none'}</SafeText></Link></dd>
              <dt>On machines</dt>
              <dd>
                {count(data.machines_current)} of {count(data.machines)} have it
              </dd>
            </dl>
          </div>
        </section>
      </div>
      <div className="grid-3">
        <section className="card">
          <div className="card-head">
            <h2>Open alerts, worst first</h2>
            <Link className="more" to="/alerts" search={{ status: 'open' }}>All alerts</Link>
          </div>
          {open.length === 0 ? (
            alerts.isPending ? <Loading rows={4} /> : <Empty icon="check" title="Nothing is open">New alerts appear here and on your notification channels.</Empty>
          ) : (
            <ul className="mini-list">
              {open.slice(0, 6).map((alert) => <AlertLine key={alert.id} alert={alert} />)}
            </ul>
          )}
        </section>
        <section className="card">
          <div className="card-head">
            <h2>Silent or in quarantine</h2>
            <Link className="more" to="/fleet">Fleet</Link>
          </div>
          {troubled.length === 0 ? (
            machines.isPending ? <Loading rows={4} /> : <Empty icon="check" title="Every machine reports">A machine that stops reporting stands here first.</Empty>
          ) : (
            <ul className="mini-list">
              {troubled.slice(0, 6).map((machine) => <MachineLine key={machine.machine_id} machine={machine} />)}
            </ul>
          )}
        </section>
      </div>
      <div className="grid-3">
        <section className="card">
          <div className="card-head"><h2>What changed since yesterday</h2></div>
          {data.changes.length === 0 ? <Empty icon="check" title="Nothing changed">Releases, new machines, new agents and people's actions are told here.</Empty> : (
            <ul className="mini-list">
              {data.changes.map((change, index) => (
                <li key={index}>
                  <Icon name="diff" size={14} className="muted" />
                  <span className="spring"><SafeText>{change.text}</SafeText></span>
                  <Inside to={change.link}>Open</Inside>
                </li>
              ))}
            </ul>
          )}
        </section>
        <section className="card">
          <div className="card-head"><h2>Rules that fired most</h2></div>
          {data.top_rules.length === 0 ? <Empty icon="policy" title="No rule fired">Where a rule stops or warns, it is counted here.</Empty> : (
            <ul className="bars" style={{ paddingBottom: 10 }}>
              {data.top_rules.slice(0, 8).map((rule) => (
                <li key={rule.name}>
                  <Link className="mono ellipsis" to="/search" search={{ q: `rule:${rule.name}`, range: '24h' }}><SafeText>{rule.name}</SafeText></Link>
                  <span className="num">{count(rule.count)}</span>
                  <span className="track"><i style={{ width: `${(100 * rule.count) / Math.max(1, data.top_rules[0]?.count ?? 1)}%` }} /></span>
                </li>
              ))}
            </ul>
          )}
        </section>
      </div>
    </>
  )
}

/** A link that the server made: only ever inside this console. */
function Inside({ to, children }: { to: string; children: ReactNode }) {
  const router = useRouter()
  if (!/^\/(?!\/)/.test(to)) return null
  return (
    <a href={to} onClick={(event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return
      event.preventDefault()
      router.history.push(to)
    }}>{children}</a>
  )
}

const weight = (alert: Alert) => ['low', 'medium', 'high', 'critical'].indexOf(alert.severity)

function worst(alerts: Alert[]): string {
  for (const severity of ['critical', 'high', 'medium', 'low']) {
    const n = alerts.filter((alert) => alert.severity === severity).length
    if (n > 0) return `${n} ${severity}`
  }
  return 'to triage'
}

function Tile({ name, icon, value, under, to, search }: { name: string; icon: IconName; value: string; under: ReactNode; to: string; search?: Record<string, string> }) {
  return (
    <Link className="card tile" to={to} search={search}>
      <span className="name"><Icon name={icon} size={13} className="muted" />{name}</span>
      <span className="value">{value}</span>
      <span className="under">{under}</span>
    </Link>
  )
}

function Delta({ trend, better }: { trend: Trend; better?: 'less' | 'more' }) {
  if (trend.before === 0) return <>{trend.now === 0 ? 'none before either' : 'none the day before'}</>
  const change = Math.round((100 * (trend.now - trend.before)) / trend.before)
  const tone = change === 0 || !better ? '' : (change < 0) === (better === 'less') ? 'good' : 'bad'
  return (
    <>
      <span className={`delta ${tone}`}>{change > 0 ? '↑' : change < 0 ? '↓' : '±'} {Math.abs(change)} %</span> from {count(trend.before)}
    </>
  )
}

function points(trend: Trend): string {
  const change = (trend.now - trend.before) / 100
  return `${change >= 0 ? '↑' : '↓'} ${Math.abs(change).toFixed(2)} points`
}

/** The last five per cent, where the difference is. */
function Target({ value, target }: { value: number; target: number }) {
  const floor = Math.max(0, Math.min(9_500, value - 100, target - 100))
  const at = (number: number) => `${(100 * (number - floor)) / (10_000 - floor)}%`
  return (
    <div>
      <div className="meter" role="img" aria-label={`${percent(value)} per cent, target ${percent(target)} per cent`}>
        <i className={value >= target ? 'green' : 'amber'} style={{ width: at(value) }} />
        <u style={{ left: at(target) }} />
      </div>
      <div className="row muted" style={{ fontSize: 11, marginTop: 5 }}>
        <span>{(floor / 100).toFixed(0)} %</span>
        <span className="spring" />
        <span>100 %</span>
      </div>
    </div>
  )
}

function AlertLine({ alert }: { alert: Alert }) {
  return (
    <li>
      <span className="lead severity"><Severity severity={alert.severity} /></span>
      <span className="spring">
        <Link to="/alerts" search={{ id: alert.id }} className="ellipsis" style={{ display: 'block', color: 'var(--text)', fontWeight: 550 }}><SafeText>{alert.title}</SafeText></Link>
        <small className="ellipsis"><SafeText>{alert.summary}</SafeText></small>
      </span>
      <span className="muted"><Time at={alert.occurred} /></span>
      <Link to="/alerts" search={{ id: alert.id }} className="btn small">Triage</Link>
    </li>
  )
}

function MachineLine({ machine }: { machine: Machine }) {
  return (
    <li>
      <span className="lead state"><MachineState state={machine.state} /></span>
      <span className="spring">
        <Link to="/fleet" search={{ id: machine.machine_id }} style={{ color: 'var(--text)', fontWeight: 550 }}><SafeText>{machine.hostname}</SafeText></Link>
        <small className="ellipsis"><SafeText>{machine.state === 'quarantined' ? (machine.quarantine ?? machine.person) : machine.person}</SafeText></small>
      </span>
      <span className="muted"><Time at={machine.last_seen} /></span>
    </li>
  )
}
