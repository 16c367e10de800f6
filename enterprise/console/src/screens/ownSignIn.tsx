// One's own sign-in: the second factor and the password.
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, take, withCode, type Schemas } from '../api/client'
import { factorsQuery, queryClient } from '../api/queries'
import { createKey } from '../api/securityKey'
import { Dialog, Proof, toast } from '../ui/overlay'
import { CopyBox, count, Hint, SafeText, Time } from '../ui/show'
import { Empty, Failed, Loading, Problem } from '../ui/states'

function fresh() {
  for (const key of ['factors', 'me']) void queryClient.invalidateQueries({ queryKey: [key] })
}

export function SignInSettings() {
  const query = useQuery(factorsQuery)
  const [add, setAdd] = useState(false)
  const [key, setKey] = useState(false)
  const [gone, setGone] = useState<Schemas['Factor'] | null>(null)
  const list = query.data?.factors ?? []
  return (
    <>
      <section className="card" style={{ overflow: 'hidden' }}>
        <div className="card-head"><h2>Second factor</h2><span className="more row"><button type="button" className="btn small" onClick={() => setKey(true)}>Add a security key</button><button type="button" className="btn small" onClick={() => setAdd(true)}>Add an authenticator app</button></span></div>
        {query.isPending ? <Loading rows={3} /> : query.isError && !query.data ? <Failed problem={query.error} retry={() => void query.refetch()} /> : (
          <div className="card-body">
            {query.data?.required && list.every((factor) => !factor.confirmed) && <Hint icon="lock">The policy asks for a second factor: without one you can look, and neither approve nor publish.</Hint>}
            {list.length === 0 ? <Empty icon="lock" title="Your password alone proves who you are">With a security key or an authenticator app, whoever learns your password can approve nothing.</Empty> : (
              <table className="plain">
                <thead><tr><th>Name</th><th>Kind</th><th>Added</th><th>Last used</th><th>State</th><th><span className="hidden-visually">Actions</span></th></tr></thead>
                <tbody>
                  {list.map((factor) => (
                    <tr key={factor.id}>
                      <td><b><SafeText>{factor.name}</SafeText></b></td>
                      <td>{factor.kind === 'webauthn' ? 'security key' : 'authenticator app'}</td>
                      <td className="soft"><Time at={factor.created} /></td>
                      <td className="soft"><Time at={factor.last_used} /></td>
                      <td>{factor.confirmed ? <span className="tag green">on</span> : <span className="tag">waits for its first code</span>}</td>
                      <td><div className="row" style={{ justifyContent: 'flex-end' }}><button type="button" className="btn small danger" onClick={() => setGone(factor)}>Remove…</button></div></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
            {list.some((factor) => factor.confirmed) && <p className="muted" style={{ marginTop: 10 }}>Recovery codes left: {count(query.data?.recovery_codes ?? 0)}</p>}
          </div>
        )}
      </section>
      <Password />
      {add && <TotpDialog onClose={() => setAdd(false)} />}
      {key && <KeyDialog onClose={() => setKey(false)} />}
      {gone && <RemoveDialog factor={gone} onClose={() => setGone(null)} />}
    </>
  )
}

function TotpDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('Telephone')
  const [password, setPassword] = useState('')
  const [proof, setProof] = useState('')
  const [code, setCode] = useState('')
  const [made, setMade] = useState<Schemas['TotpMade'] | null>(null)
  const [codes, setCodes] = useState<string[] | null>(null)
  const begin = useMutation({
    mutationFn: () => withCode(proof, () => take(api.POST('/api/v1/factors/totp', { body: { name: name.trim(), password } }))),
    onSuccess: setMade,
  })
  const confirm = useMutation({
    mutationFn: (id: string) => take(api.POST('/api/v1/factors/totp/{id}', { params: { path: { id } }, body: { code } })),
    onSuccess: (answer) => {
      setCodes(answer.codes)
      fresh()
    },
  })
  if (codes) {
    return <Recovery codes={codes} onClose={onClose} />
  }
  if (made) {
    return (
      <Dialog title="Type this into the app" onClose={onClose}>
        <form onSubmit={(event) => { event.preventDefault(); confirm.mutate(made.id) }}>
          <div className="dlg-body">
            <CopyBox text={made.secret} label="Copy the secret" />
            <details><summary>As an address</summary><CopyBox text={made.uri} label="Copy the address" /></details>
            <label className="field"><span>First code</span><input className="input mono" autoFocus required inputMode="numeric" autoComplete="one-time-code" maxLength={7} value={code} onChange={(event) => setCode(event.target.value)} /><small>Six digits that the app shows now.</small></label>
            <Problem problem={confirm.error} />
          </div>
          <div className="dlg-foot">
            <button type="button" className="btn" onClick={onClose}>Cancel</button>
            <button type="submit" className="btn primary" disabled={confirm.isPending || code.trim().length < 6}>Confirm</button>
          </div>
        </form>
      </Dialog>
    )
  }
  return (
    <Dialog title="Add an authenticator app" onClose={onClose}>
      <form onSubmit={(event) => { event.preventDefault(); begin.mutate() }}>
        <div className="dlg-body">
          <label className="field"><span>Name</span><input className="input" required value={name} onChange={(event) => setName(event.target.value)} /></label>
          <Proof password={password} onPassword={setPassword} code={proof} onCode={setProof} />
          <Problem problem={begin.error} />
        </div>
        <div className="dlg-foot">
          <button type="button" className="btn" onClick={onClose}>Cancel</button>
          <button type="submit" className="btn primary" disabled={begin.isPending || !name.trim() || !password}>Show the secret</button>
        </div>
      </form>
    </Dialog>
  )
}

function Recovery({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  return (
    <Dialog title="Recovery codes" onClose={onClose}>
      <div className="dlg-body">
        <Hint icon="lock">Shown once. Each stands in for a code once, for the day when the telephone or key is gone.</Hint>
        <CopyBox text={codes.join('\n')} label="Copy the recovery codes" />
      </div>
      <div className="dlg-foot"><button type="button" className="btn primary" onClick={onClose}>Done</button></div>
    </Dialog>
  )
}

function KeyDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('Security key')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [codes, setCodes] = useState<string[] | null>(null)
  const add = useMutation({
    mutationFn: async () => {
      const asked = await withCode(code, () => take(api.POST('/api/v1/factors/webauthn', { body: { name: name.trim(), password } })))
      return take(api.POST('/api/v1/factors/webauthn/confirm', { body: await createKey(asked) }))
    },
    onSuccess: (added) => {
      toast(added.on_machines ? 'The security key counts from now on' : 'The security key counts here from now on; on machines once a release names it')
      fresh()
      if (added.recovery_codes.length > 0) setCodes(added.recovery_codes)
      else onClose()
    },
  })
  if (codes) return <Recovery codes={codes} onClose={onClose} />
  return (
    <Dialog title="Add a security key" onClose={onClose}>
      <form onSubmit={(event) => { event.preventDefault(); add.mutate() }}>
        <div className="dlg-body">
          <p className="soft">A key that you plug in, or a passkey of this computer or telephone. It signs each approval itself, and machines verify that signature.</p>
          <label className="field"><span>Name</span><input className="input" required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} /></label>
          <Proof password={password} onPassword={setPassword} code={code} onCode={setCode} />
          <Problem problem={add.error} />
        </div>
        <div className="dlg-foot">
          <button type="button" className="btn" onClick={onClose}>Cancel</button>
          <button type="submit" className="btn primary" disabled={add.isPending || !name.trim() || !password}>Touch the key…</button>
        </div>
      </form>
    </Dialog>
  )
}

function RemoveDialog({ factor, onClose }: { factor: Schemas['Factor']; onClose: () => void }) {
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const run = useMutation({
    mutationFn: () => withCode(code, () => take(api.POST('/api/v1/factors/{id}/remove', { params: { path: { id: factor.id } }, body: { password } }))),
    onSuccess: () => {
      toast('The second factor is removed')
      fresh()
      onClose()
    },
  })
  return (
    <Dialog title="Remove the second factor" onClose={onClose}>
      <form onSubmit={(event) => { event.preventDefault(); run.mutate() }}>
        <div className="dlg-body">
          <p className="soft"><b><SafeText>{factor.name}</SafeText></b> proves nothing any more.</p>
          <Proof password={password} onPassword={setPassword} code={code} onCode={setCode} />
          <Problem problem={run.error} />
        </div>
        <div className="dlg-foot">
          <button type="button" className="btn" onClick={onClose}>Cancel</button>
          <button type="submit" className="btn primary danger" disabled={run.isPending || !password}>Remove</button>
        </div>
      </form>
    </Dialog>
  )
}

function Password() {
  const [password, setPassword] = useState('')
  const [next, setNext] = useState('')
  const [again, setAgain] = useState('')
  const [code, setCode] = useState('')
  const save = useMutation({
    mutationFn: () => withCode(code, () => take(api.POST('/api/v1/password', { body: { password, new_password: next } }))),
    onSuccess: () => {
      toast('The password is changed; every other session and token of yours ended')
      for (const clear of [setPassword, setNext, setAgain, setCode]) clear('')
      for (const key of ['me', 'tokens']) void queryClient.invalidateQueries({ queryKey: [key] })
    },
  })
  const differ = again !== '' && next !== again
  return (
    <section className="card" style={{ overflow: 'hidden' }}>
      <div className="card-head"><h2>Password</h2></div>
      <div className="card-body">
        <form className="stack" style={{ maxWidth: 420 }} onSubmit={(event) => { event.preventDefault(); save.mutate() }}>
          <label className="field"><span>New password</span><input className="input" type="password" required minLength={12} autoComplete="new-password" value={next} onChange={(event) => setNext(event.target.value)} /><small>At least 12 characters. Your other sessions and all of your tokens end.</small></label>
          <label className="field"><span>The same again</span><input className="input" type="password" required autoComplete="new-password" value={again} onChange={(event) => setAgain(event.target.value)} /></label>
          {differ && <Problem problem="The two are not the same" />}
          <Proof password={password} onPassword={setPassword} code={code} onCode={setCode} />
          <Problem problem={save.error} />
          <div><button type="submit" className="btn primary" disabled={save.isPending || next.length < 12 || next !== again || !password}>Change the password</button></div>
        </form>
      </div>
    </section>
  )
}
