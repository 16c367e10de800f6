// What a release would have changed: documents compared, recorded commands judged under both.
import { useState } from 'react'
import { api, take, type Schemas } from '../../api/client'
import { Problem } from '../../ui/states'
import { count, decisionName, SafeText } from '../../ui/show'

const tints: Record<string, string> = { looser: 'red', unclear: 'amber', stricter: 'green', wording: '' }

export function Impact({ impact, commands = [] }: { impact: Schemas['Impact']; commands?: Schemas['ImpactCommand'][] }) {
  return (
    <div className="stack" role="group" aria-label="What it would have changed">
      <p>
        Of <b>{count(impact.commands)}</b> commands of the last {impact.days} days{impact.bounded ? ' (the newest)' : ''}: <b>{count(impact.stricter)}</b> decided more strictly, <b>{count(impact.looser)}</b> less than under version {impact.against}.{' '}
        {count(impact.people_more)} {impact.people_more === 1 ? 'person' : 'people'} interrupted more often, {count(impact.people_less)} less.
      </p>
      {impact.decisions.some((one) => one.old !== one.new) && (
        <table className="plain">
          <thead><tr><th>Decision</th><th className="num">Now</th><th className="num">Then</th></tr></thead>
          <tbody>{impact.decisions.map((one) => <tr key={one.name}><td>{decisionName[one.name] ?? one.name}</td><td className="num">{count(one.old)}</td><td className="num">{count(one.new)}</td></tr>)}</tbody>
        </table>
      )}
      {impact.changes.length > 0 && (
        <ul className="stack" style={{ listStyle: 'none', padding: 0, margin: 0 }}>
          {impact.changes.map((change, index) => (
            <li key={index} className="wrap-any">
              <span className={`tag ${tints[change.direction] ?? ''}`}>{change.direction}</span> <b><SafeText>{change.subject}</SafeText></b>{' '}
              <span className="soft"><SafeText>{change.was ?? 'nothing'}</SafeText> → <SafeText>{change.is ?? 'nothing'}</SafeText></span>
            </li>
          ))}
          {impact.more_changes > 0 && <li className="muted">and {count(impact.more_changes)} more</li>}
        </ul>
      )}
      {commands.length > 0 && (
        <table className="plain">
          <caption className="muted">Commands that it decides differently</caption>
          <thead><tr><th>Command</th><th>Now</th><th>Then</th><th className="num">Times</th></tr></thead>
          <tbody>{commands.map((one, index) => <tr key={index}><td className="wrap-any"><code><SafeText>{one.text}</SafeText></code></td><td>{decisionName[one.old] ?? one.old}</td><td>{decisionName[one.new] ?? one.new}</td><td className="num">{count(one.count)}</td></tr>)}</tbody>
        </table>
      )}
    </div>
  )
}

/** The document in the editor, held against what was recorded lately; on demand, for it takes seconds. */
export function Foresight({ source }: { source: string }) {
  const [found, setFound] = useState<Schemas['PolicyImpact']>()
  const [problem, setProblem] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  async function look() {
    setBusy(true)
    setProblem(undefined)
    try {
      setFound(await take(api.POST('/api/v1/policy/impact', { body: { source } })))
    } catch (cause) {
      setProblem(cause)
    }
    setBusy(false)
  }
  return (
    <section className="card" aria-label="What it would change" aria-busy={busy}>
      <div className="card-head">
        <h2>What it would change</h2>
        <span className="more"><button type="button" className="btn small" disabled={busy} onClick={() => void look()}>{busy ? 'judging…' : 'Look'}</button></span>
      </div>
      <div className="card-body">
        {problem ? <Problem problem={problem} /> : found ? <Impact impact={found.impact} commands={found.commands} /> : <span className="muted">Holds it against the commands of the last days.</span>}
      </div>
    </section>
  )
}
