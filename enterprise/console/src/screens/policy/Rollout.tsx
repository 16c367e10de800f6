// How the newest release spreads: who signs, rings with their machines, the gate's figures, and
// what may be done about it.
import { useState } from 'react'
import { api, may, take, type PolicyView } from '../../api/client'
import { policyQuery, queryClient } from '../../api/queries'
import { forbidden, useMe } from '../../app/App'
import { Icon } from '../../ui/icons'
import { StepUp, toast } from '../../ui/overlay'
import { count, SafeText, Time } from '../../ui/show'
import { Empty } from '../../ui/states'
import { Impact } from './Impact'

type View = NonNullable<PolicyView['rollout']>
type Ring = View['rings'][number]
type Draft = NonNullable<PolicyView['draft']>

const phases: Record<string, [string, string]> = {
  draft: ['waits for signatures', 'amber'], spreading: ['spreading', 'blue'], halted: ['halted', 'red'],
  done: ['open for every machine', 'green'], rolled_back: ['rolled back', ''], replaced: ['replaced', ''],
}
const states: Record<string, [string, string]> = { open: ['open', 'green'], waiting: ['waiting', 'blue'], opening: ['opening', 'blue'], closed: ['not open yet', ''] }

const acts: Record<string, { name: string; title: (view: View) => string; action: string; danger?: boolean; intro: (view: View) => string; done: string }> = {
  halt: { name: 'Halt…', title: (view) => `Halt release ${view.release}`, action: 'Halt', danger: true, intro: () => 'Machines that have it keep it; nobody else takes it until somebody goes on.', done: 'Halted' },
  continue: { name: 'Go on…', title: (view) => `Go on with release ${view.release}`, action: 'Go on', intro: () => 'The figures as they are now count as seen: the gate halts again only for what is worse.', done: 'It goes on' },
  rollback: { name: 'Roll back…', title: (view) => `Bring back version ${view.rollback_to ?? ''}`, action: 'Roll back', danger: true, intro: (view) => `A new version with the content of version ${view.rollback_to ?? ''}, for every machine at once.`, done: 'The old content is on its way' },
  unmanage: { name: 'Edit here again…', title: () => 'Edit the policy here again', action: 'Let go', intro: () => 'What the repository says is not applied any more until somebody applies it anew.', done: 'The policy is edited here again' },
}

function wait(seconds: number): string {
  if (seconds === 0) return 'at once'
  if (seconds % 86_400 === 0) return `${seconds / 86_400} d`
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`
}

/** Who signs, where it comes from, what waits: above the document and on the rollout's page. */
export function Standing({ view, brief }: { view: PolicyView; brief?: boolean }) {
  const me = useMe()
  const allowed = may(me, 'security')
  const reviews = allowed && me?.login !== view.draft?.by
  // What was on the screen is what is agreed to, also where another draft arrives meanwhile.
  const [look, setLook] = useState<{ agree: boolean; draft: Draft } | null>(null)
  return (
    <>
      {view.managed_by && (
        <div className="banner" role="status">
          <Icon name="lock" size={14} />
          <span><b>Managed by git <SafeText>{view.managed_by}</SafeText>.</b> It is changed there; publishing here is refused until it is let go.</span>
        </div>
      )}
      {view.draft?.awaits_review && (
        <div className="banner" role="status">
          <Icon name="warn" size={14} />
          <span>
            <b>Version {view.draft.release} by <SafeText>{view.draft.by}</SafeText> waits for somebody else to look at it.</b>{' '}
            <SafeText>{view.draft.note}</SafeText>
          </span>
          <span className="actions row">
            <button type="button" className="btn small" disabled={!reviews} title={me?.login === view.draft.by ? 'Nobody reviews their own release' : forbidden(me, allowed)} onClick={() => view.draft && setLook({ agree: true, draft: view.draft })}>Review…</button>
            <button type="button" className="btn small danger" disabled={!reviews} onClick={() => view.draft && setLook({ agree: false, draft: view.draft })}>Send back…</button>
          </span>
        </div>
      )}
      {look && (
        <StepUp
          title={look.agree ? `Let version ${look.draft.release} go out` : `Send version ${look.draft.release} back`} action={!look.agree ? 'Send back' : view.signing === 'people' ? 'It may be signed' : 'Publish'} danger={!look.agree}
          reasonLabel="What you found"
          intro={look.draft.impact ? <Impact impact={look.draft.impact} commands={look.draft.commands} /> : <p>There was nothing in force to compare it with.</p>}
          send={async ({ reason, password }) => {
            const after = await take(api.POST('/api/v1/policy/draft/review', { body: { digest: look.draft.digest, approve: look.agree, note: reason, password } }))
            queryClient.setQueryData(policyQuery.queryKey, after)
          }}
          onClose={() => setLook(null)}
          onDone={() => {
            toast(!look.agree ? 'Sent back' : view.signing === 'people' ? 'Publishers may sign it now' : 'Published; machines fetch it now')
            setLook(null)
          }}
        />
      )}
      {view.draft && !view.draft.awaits_review && (
        <div className="banner" role="status">
          <Icon name="warn" size={14} />
          <span>
            <b>{view.draft.keys_only ? 'Another list of approvers’ keys, in version' : 'Version'} {view.draft.release} waits for signatures: {view.draft.signed_by.length} of {view.draft.needed}.</b>{' '}
            {view.draft.signed_by.length > 0 && <>Signed by <SafeText>{view.draft.signed_by.join(', ')}</SafeText>. </>}
            Publishers sign with <code>cmdai-enterprise policy sign --key NAME.key</code>.
          </span>
        </div>
      )}
      {!brief && view.signing === 'server' && (
        <div className="banner" role="status">
          <Icon name="warn" size={14} />
          <span><b>The server signs releases: whoever takes it over can publish.</b> Fit for a start; people take the keys with <code>cmdai-enterprise policy keys init</code>.</span>
        </div>
      )}
    </>
  )
}

export function Rollout({ view }: { view: PolicyView }) {
  const me = useMe()
  const allowed = may(me, 'security')
  const [act, setAct] = useState<string | null>(null)
  const rollout = view.rollout
  const chosen = act ? acts[act] : undefined
  if (!rollout) return <><Standing view={view} /><Empty icon="policy" title="Nothing was published yet">The first release goes to every machine at once.</Empty></>
  const [phase, tint] = phases[rollout.phase] ?? [rollout.phase, '']
  const may_ = view.managed_by ? [...rollout.may, 'unmanage'] : rollout.may
  return (
    <div className="stack rollout" tabIndex={0} role="region" aria-label="Rollout">
      <Standing view={view} />
      <section className="card" aria-label="Newest release">
        <div className="card-head">
          <h2>Version {rollout.release}</h2>
          <span className={`tag ${tint}`} role="status">{phase}</span>
          <span className="more row">
            {may_.map((name) => acts[name] && (
              <button key={name} type="button" className={`btn small ${acts[name].danger ? 'danger' : ''}`} disabled={!allowed} title={forbidden(me, allowed)} onClick={() => setAct(name)}>{acts[name].name}</button>
            ))}
          </span>
        </div>
        <div className="card-body stack">
          {rollout.reason && <p className={rollout.phase === 'halted' ? 'red' : 'soft'}><SafeText>{rollout.reason}</SafeText></p>}
          <dl className="kv">
            <dt>Went out</dt><dd><Time at={rollout.begun} /></dd>
            <dt>Signed by</dt><dd>{view.signing === 'people' ? 'people; the server holds none of their keys' : 'the server'}</dd>
            <dt>At a time</dt><dd>{rollout.max_in_flight > 0 ? `${count(rollout.max_in_flight)} machines` : 'no bound'}</dd>
            <dt>Away</dt><dd>{rollout.away > 0 ? `${count(rollout.away)} machines, they join later` : 'none'}</dd>
          </dl>
        </div>
      </section>
      {rollout.rings.length > 0 && (
        <section className="card" aria-label="Rings">
          <div className="card-head"><h2>Rings</h2><span className="more">{count(view.machines_current)} of {count(view.machines)} machines have it</span></div>
          <div className="card-body scroll-x" tabIndex={0} role="region" aria-label="Rings and their machines">
            <table className="plain">
              <thead><tr><th>Ring</th><th>Takes</th><th>State</th><th>Have it</th><th className="num">Offered</th><th className="num">Problems</th><th className="num">Silent</th><th>Then waits</th></tr></thead>
              <tbody>
                {rollout.rings.map((ring) => <Row key={ring.name} ring={ring} halted={rollout.phase === 'halted'} />)}
              </tbody>
            </table>
          </div>
        </section>
      )}
      {rollout.gate.length > 0 && (
        <section className="card" aria-label="Health gate">
          <div className="card-head"><h2>Health gate</h2><span className="more">halts by itself above the limit</span></div>
          <div className="card-body scroll-x" tabIndex={0} role="region" aria-label="Figures of the health gate">
            <table className="plain">
              <thead><tr><th>Figure</th><th className="num">Now</th><th className="num">Limit</th><th>Counted over</th></tr></thead>
              <tbody>
                {rollout.gate.map((figure) => (
                  <tr key={figure.id}>
                    <td>{figure.title}</td>
                    <td className="num"><b className={figure.value > figure.limit ? 'red' : ''}>{count(figure.value)}</b></td>
                    <td className="num">{count(figure.limit)}</td>
                    <td className="soft">{figure.note}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      {chosen && act && (
        <StepUp
          title={chosen.title(rollout)} action={chosen.action} danger={chosen.danger} intro={<p>{chosen.intro(rollout)}</p>}
          send={async ({ reason, password }) => {
            const after = await take(api.POST('/api/v1/policy/rollout', { body: { action: act, reason, password } }))
            queryClient.setQueryData(policyQuery.queryKey, after)
          }}
          onClose={() => setAct(null)}
          onDone={() => {
            setAct(null)
            toast(chosen.done)
          }}
        />
      )}
    </div>
  )
}

function Row({ ring, halted }: { ring: Ring; halted: boolean }) {
  const [state, tint] = halted && (ring.state === 'opening' || ring.state === 'waiting') ? ['halted', 'red'] : states[ring.state] ?? [ring.state, '']
  const share = ring.members > 0 ? ring.current / ring.members : 0
  return (
    <tr>
      <td><b><SafeText>{ring.name}</SafeText></b></td>
      <td className="soft"><SafeText>{ring.takes}</SafeText></td>
      <td><span className={`tag ${tint}`}>{state}</span></td>
      <td>
        <div className="row">
          <div className="meter ring-meter" role="img" aria-label={`${ring.current} of ${ring.members} machines have it`}><i className={share >= 1 ? 'green' : ''} style={{ width: `${share * 100}%` }} /></div>
          <span>{count(ring.current)} of {count(ring.members)}</span>
        </div>
      </td>
      <td className="num">{count(ring.offered)}</td>
      <td className="num"><span className={ring.problems > 0 ? 'red' : ''}>{count(ring.problems)}</span></td>
      <td className="num"><span className={ring.silent > 0 ? 'amber' : ''}>{count(ring.silent)}</span></td>
      <td className="soft">{wait(ring.wait_s)}</td>
    </tr>
  )
}
