import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react'
import { api, ApiProblem, may, take, type PolicyCheck, type PolicyView } from '../../api/client'
import { policyQuery, queryClient } from '../../api/queries'
import { forbidden, Page, useMe } from '../../app/App'
import { Icon } from '../../ui/icons'
import { StepUp, toast } from '../../ui/overlay'
import { count, decisionName, Hash, SafeText, Time } from '../../ui/show'
import { Empty, Failed, Loading, Problem } from '../../ui/states'
import type { EditorHandle } from './Editor'
import { Foresight, Impact } from './Impact'
import { Rollout, Standing } from './Rollout'

const Editor = lazy(() => import('./Editor'))

export function Policy() {
  const policy = useQuery(policyQuery)
  return (
    policy.data ? <Desk view={policy.data} refetch={() => void policy.refetch()} /> : (
      <Page title="Policy" fill>{policy.isError ? <Failed problem={policy.error} retry={() => void policy.refetch()} /> : <Loading rows={14} />}</Page>
    )
  )
}

const DRAFT = 'cmdai.policy.draft'
interface Draft {
  base: number
  source: string
}
/** A draft outlives a reload, not the browser session. */
function readDraft(): Draft | null {
  try {
    const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? 'null') as Draft | null
    return draft && typeof draft.source === 'string' && typeof draft.base === 'number' ? draft : null
  } catch {
    return null
  }
}

function Desk({ view, refetch }: { view: PolicyView; refetch: () => void }) {
  const params = useSearch({ from: '/policy' }) as { view?: string }
  const navigate = useNavigate()
  const me = useMe()
  const allowed = may(me, 'security')
  const tab = params.view === 'history' || params.view === 'rollout' ? params.view : 'edit'
  const [draft, setDraft] = useState<Draft | null>(readDraft)
  const [check, setCheck] = useState<PolicyCheck | null>(null)
  const [checking, setChecking] = useState(false)
  const [checkProblem, setCheckProblem] = useState<unknown>()
  const [diff, setDiff] = useState(false)
  const [publish, setPublish] = useState(false)
  const editor = useRef<EditorHandle>(null)
  const after = useRef<PolicyView | null>(null)
  const source = draft?.source ?? view.source
  const dirty = draft !== null && draft.source !== view.source
  const base = draft?.base ?? view.version
  const conflict = dirty && base !== view.version

  const edit = useCallback((text: string) => setDraft((before) => ({ base: before?.base ?? view.version, source: text })), [view.version])
  useEffect(() => {
    if (dirty && draft) sessionStorage.setItem(DRAFT, JSON.stringify(draft))
    else sessionStorage.removeItem(DRAFT)
  }, [draft, dirty])
  useEffect(() => {
    const control = new AbortController()
    const id = setTimeout(async () => {
      setChecking(true)
      try {
        const found = await take(api.POST('/api/v1/policy/check', { body: { source }, signal: control.signal }))
        if (!control.signal.aborted) {
          setCheck(found)
          setCheckProblem(undefined)
        }
      } catch (problem) {
        if (!control.signal.aborted) setCheckProblem(problem)
      }
      if (!control.signal.aborted) setChecking(false)
    }, 350)
    return () => {
      control.abort()
      clearTimeout(id)
    }
  }, [source])

  const errors = check?.diagnostics.filter((found) => found.severity === 'error').length ?? 0
  const failed = check?.tests.filter((test) => !test.passed).length ?? 0
  const ready = allowed && !view.managed_by && dirty && !conflict && check?.valid === true && !checking
  const share = view.machines > 0 ? view.machines_current / view.machines : 0
  return (
    <Page
      title="Policy" fill
      sub={view.version === 0 ? 'None is published yet' : <>Version {view.version} by <SafeText>{view.published_by}</SafeText>, <Time at={view.published} /></>}
      actions={
        <>
          <div className="segs" role="group" aria-label="View">
            <button type="button" aria-pressed={tab === 'edit'} onClick={() => void navigate({ to: '/policy', search: {} })}>Document</button>
            <button type="button" aria-pressed={tab === 'rollout'} onClick={() => void navigate({ to: '/policy', search: { view: 'rollout' } })}>Rollout</button>
            <button type="button" aria-pressed={tab === 'history'} onClick={() => void navigate({ to: '/policy', search: { view: 'history' } })}>History <span className="n">{count(view.history.length)}</span></button>
          </div>
          {tab === 'edit' && (
            <>
              <button type="button" className="btn" aria-pressed={diff} disabled={!dirty} onClick={() => setDiff((on) => !on)} title={dirty ? undefined : 'Nothing differs from what is published'}><Icon name="diff" size={14} />Difference</button>
              <button type="button" className="btn primary" disabled={!ready} title={forbidden(me, allowed) ?? (view.managed_by ? 'A repository manages this policy' : !dirty ? 'Nothing was changed' : conflict ? 'Another version was published meanwhile' : errors + failed > 0 ? 'Mend the errors first' : undefined)} onClick={() => setPublish(true)}>Publish…</button>
            </>
          )}
        </>
      }
    >
      {tab === 'edit' && <Standing view={view} brief />}
      {tab === 'rollout' ? <Rollout view={view} /> : tab === 'history' ? <History view={view} /> : (
        <div className="policy-grid">
          <div className="card editor-card">
            <div className="card-head">
              <h2>Organisation's document</h2>
              {dirty ? <span className="tag amber">changed, from version {base}</span> : <span className="tag">as published</span>}
              <span className="more row">
                {!allowed && <span>read only for {me?.role}</span>}
                {dirty && <button type="button" className="linkish" onClick={() => { setDraft(null); setDiff(false) }}>Drop my changes</button>}
              </span>
            </div>
            {conflict && (
              <div className="banner" role="alert">
                <Icon name="warn" size={14} />
                <span><b>Version {view.version} was published by <SafeText>{view.published_by}</SafeText> while you edited version {base}.</b> Yours would replace it.</span>
                <span className="actions row">
                  <button type="button" className="btn small" onClick={() => setDiff(true)}>Difference</button>
                  <button type="button" className="btn small" onClick={() => { setDiff(true); setDraft({ base: view.version, source }) }}>Go on from {view.version}</button>
                </span>
              </div>
            )}
            <div className="editor">
              <Suspense fallback={<Loading rows={16} label="Loading the editor" />}>
                <Editor handle={editor} value={source} onChange={edit} diagnostics={check?.diagnostics ?? []} against={diff && dirty ? view.source : null} readOnly={!allowed} />
              </Suspense>
            </div>
          </div>
          <div className="policy-side" tabIndex={0} role="region" aria-label="Check and coverage">
            <section className="card" aria-label="Check" aria-busy={checking}>
              <div className="card-head">
                <h2>Check</h2>
                <span className="more" role="status">{checking ? 'checking…' : check ? (check.valid ? <span className="tag green"><Icon name="check" size={12} />may be published</span> : <span className="tag red"><Icon name="deny" size={12} />{errors > 0 ? `${errors} ${errors === 1 ? 'error' : 'errors'}` : failed > 0 ? `${failed} ${failed === 1 ? 'test fails' : 'tests fail'}` : 'not valid'}</span>) : ''}</span>
              </div>
              {checkProblem ? <div className="card-body"><Problem problem={checkProblem} /></div> : null}
              {check?.diagnostics.map((found, index) => (
                <button key={index} type="button" className="diag" onClick={() => editor.current?.goTo(found.line, found.column)}>
                  <Icon name={found.severity === 'warning' ? 'warn' : 'deny'} size={13} className={found.severity === 'warning' ? 'amber' : 'red'} />
                  <span className="wrap-any">
                    <SafeText>{found.message}</SafeText>
                    {found.help && <small><SafeText>{found.help}</SafeText></small>}
                    <small>{found.severity}, line {found.line}, column {found.column}</small>
                  </span>
                </button>
              ))}
              {check && check.diagnostics.length === 0 && <div className="diag"><Icon name="check" size={13} className="green" /><span>No complaint about the text</span></div>}
            </section>
            <section className="card" aria-label="Tests">
              <div className="card-head">
                <h2>Tests in the document</h2>
                {check && check.tests.length > 0 && <span className="more">{check.tests.length - failed} of {check.tests.length} pass</span>}
              </div>
              {check && check.tests.length === 0 && <div className="card-body muted">None. Write what must be stopped and what must run under <span className="mono">tests:</span>; publishing holds to it.</div>}
              {[...(check?.tests ?? [])].sort((a, b) => Number(a.passed) - Number(b.passed)).map((test, index) => (
                <div key={index} className="diag">
                  <Icon name={test.passed ? 'check' : 'deny'} size={13} className={test.passed ? 'green' : 'red'} />
                  <span className="wrap-any">
                    <span className="mono"><SafeText>{test.command}</SafeText></span>
                    <small>{test.passed ? (decisionName[test.found] ?? test.found) : <>expected <b>{test.expected}</b>, found <b>{test.found}</b></>}</small>
                  </span>
                </div>
              ))}
            </section>
            {allowed && dirty && check?.valid && <Foresight key={source} source={source} />}
            <section className="card">
              <div className="card-head"><h2>On machines</h2><span className="more">{count(view.machines_current)} of {count(view.machines)}</span></div>
              <div className="card-body stack">
                <div className="meter" role="img" aria-label={`${Math.round(share * 100)} per cent of machines have version ${view.version}`}><i className={share >= 1 ? 'green' : ''} style={{ width: `${share * 100}%` }} /></div>
                <dl className="kv">
                  <dt>Version</dt><dd>{view.version}</dd>
                  <dt>SHA-256</dt><dd><Hash value={view.sha256} keep={20} /></dd>
                </dl>
              </div>
            </section>
          </div>
        </div>
      )}
      {publish && (
        <StepUp
          title={`Publish as version ${view.version + 1}`} action="Publish" reasonLabel="What changes, and why" reasonPlaceholder="Read by everybody who looks at the history"
          intro={<p>{view.plan ? 'It spreads by the standing plan, ring by ring. ' : 'Every machine gets it at its next contact. '}{view.signing === 'people' && 'It goes out once enough publishers have signed it. '}{(check?.diagnostics.length ?? 0) > 0 && <b>{check?.diagnostics.length} warnings stay in the document.</b>}</p>}
          send={async ({ reason, password }) => {
            try {
              const published = await take(api.POST('/api/v1/policy', { body: { source, base_version: base, note: reason, password, rollout: null, managed_by: null } }))
              after.current = published
              queryClient.setQueryData(policyQuery.queryKey, published)
            } catch (problem) {
              if (problem instanceof ApiProblem && problem.status === 422 && isCheck(problem.body)) {
                setCheck(problem.body)
                throw new ApiProblem(422, 'invalid', 'the server found errors; they stand beside the text', problem.body)
              }
              if (problem instanceof ApiProblem && problem.status === 409) refetch()
              throw problem
            }
          }}
          onClose={() => setPublish(false)}
          onDone={() => {
            setDraft(null)
            setDiff(false)
            setPublish(false)
            toast(after.current?.draft?.awaits_review ? 'It waits for somebody else to look at it' : view.signing === 'people' ? 'It waits for signatures' : 'Published; machines fetch it now')
            void queryClient.invalidateQueries({ queryKey: ['overview'] })
          }}
        />
      )}
    </Page>
  )
}

function isCheck(body: unknown): body is PolicyCheck {
  return typeof body === 'object' && body !== null && Array.isArray((body as PolicyCheck).diagnostics)
}

function History({ view }: { view: PolicyView }) {
  if (view.history.length === 0) return <Empty icon="policy" title="Nothing was published yet">Every release stays here with who, when and why.</Empty>
  return (
    <div className="card" style={{ padding: '4px 16px', overflow: 'auto' }} tabIndex={0} role="region" aria-label="Releases">
      <table className="plain">
        <thead><tr><th>Version</th><th>Published</th><th>By</th><th>What changed, and why</th><th>SHA-256</th></tr></thead>
        <tbody>
          {view.history.map((release) => (
            <tr key={release.version}>
              <td><b>{release.version}</b> {release.version === view.version && <span className="tag green" style={{ marginLeft: 6 }}>in force</span>}</td>
              <td className="soft nowrap"><Time at={release.published} /></td>
              <td><SafeText>{release.published_by}</SafeText>{release.reviewed_by && <div className="muted">reviewed by <SafeText>{release.reviewed_by}</SafeText></div>}</td>
              <td className="wrap-any"><SafeText>{release.note}</SafeText>{release.impact && <details><summary>What it changed</summary><Impact impact={release.impact} /></details>}</td>
              <td><Hash value={release.sha256} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
