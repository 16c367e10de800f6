// Dialogs, drawers, step-up and toasts.
import { useEffect, useId, useRef, useState, useSyncExternalStore, type FormEvent, type ReactNode, type Ref } from 'react'
import { useQuery } from '@tanstack/react-query'
import { ApiProblem, BY_KEY, withCode } from '../api/client'
import { keysWork } from '../api/securityKey'
import { meQuery } from '../api/queries'
import { Icon } from './icons'
import { Problem } from './states'

export function Dialog({ title, onClose, children, wide }: { title: string; onClose: () => void; children: ReactNode; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => {
    const dialog = ref.current
    const before = document.activeElement
    if (dialog && !dialog.open) dialog.showModal()
    return () => {
      dialog?.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={ref}
      className={wide ? 'wide' : undefined}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div className="dlg-head">
        <h2 id={heading}>{title}</h2>
        <span className="spring" />
        <button type="button" className="iconbtn" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      {children}
    </dialog>
  )
}

/** The actor's own password again, and the code of a second factor where the account has one. */
export function Proof({ password, onPassword, code, onCode, field, hint }: { password: string; onPassword: (value: string) => void; code: string; onCode: (value: string) => void; field?: Ref<HTMLInputElement>; hint?: string }) {
  const me = useQuery(meQuery).data
  const key = me?.security_key === true && keysWork()
  const set = useRef({ onPassword, onCode })
  set.current = { onPassword, onCode }
  const choose = (value: string) => {
    set.current.onPassword(value)
    set.current.onCode(value)
  }
  // Whoever has a key uses it, unless they say otherwise.
  useEffect(() => {
    if (key) choose(BY_KEY)
  }, [key])
  if (key && code === BY_KEY) {
    return (
      <div className="field" role="group" aria-label="Your proof">
        <span>Your security key</span>
        <small>{hint ?? 'Asked as soon as you go on.'}</small>
        <div><button type="button" className="btn small" onClick={() => choose('')}>Use password and code</button></div>
      </div>
    )
  }
  return (
    <>
      {key && <div><button type="button" className="btn small" onClick={() => choose(BY_KEY)}><Icon name="lock" size={13} />Use your security key</button></div>}
      <label className="field">
        <span>Your password</span>
        <input ref={field} className="input" type="password" autoComplete="current-password" value={password} onChange={(event) => onPassword(event.target.value)} required />
        {hint && <small>{hint}</small>}
      </label>
      {me?.second_factor && (
        <label className="field">
          <span>Code</span>
          <input className="input mono" autoComplete="one-time-code" value={code} onChange={(event) => onCode(event.target.value)} required maxLength={40} />
          <small>Six digits of your authenticator app, or a recovery code.</small>
        </label>
      )}
      {me?.factor_missing && <small className="soft">The policy asks for a second factor and you have none yet: set one up under Settings, Sign-in.</small>}
    </>
  )
}

export interface StepUpValues {
  reason: string
  password: string
}
/**
 * Asks for a reason and the actor's own password again, and stays open until the server agreed.
 */
export function StepUp({
  title, intro, action, danger, reasonLabel = 'Reason', reasonHint, reasonPlaceholder, onClose, onDone, send,
}: {
  title: string
  intro: ReactNode
  action: string
  danger?: boolean
  reasonLabel?: string
  reasonHint?: string
  reasonPlaceholder?: string
  onClose: () => void
  onDone: () => void
  send: (values: StepUpValues) => Promise<unknown>
}) {
  const [reason, setReason] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const field = useRef<HTMLInputElement>(null)
  async function submit(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    setProblem(undefined)
    try {
      await withCode(code, () => send({ reason: reason.trim(), password }))
      onDone()
    } catch (cause) {
      setProblem(cause)
      setBusy(false)
      if (code !== BY_KEY && cause instanceof ApiProblem && (cause.status === 401 || cause.status === 403)) {
        setPassword('')
        setCode('')
        field.current?.focus()
      }
    }
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        <div className="dlg-body">
          <div className="soft stack">{intro}</div>
          <label className="field">
            <span>{reasonLabel}</span>
            <textarea className="input" value={reason} onChange={(event) => setReason(event.target.value)} required autoFocus rows={3} maxLength={2000} placeholder={reasonPlaceholder} />
            {reasonHint && <small>{reasonHint}</small>}
          </label>
          <Proof password={password} onPassword={setPassword} code={code} onCode={setCode} field={field} hint="Asked again because this acts on somebody's machine. It is recorded under your name." />
          <Problem problem={problem} />
        </div>
        <div className="dlg-foot">
          <button type="button" className="btn" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className={danger ? 'btn primary danger' : 'btn primary'} disabled={busy || !reason.trim() || !password}>
            {busy && <Icon name="refresh" size={13} className="spin" />}
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

export function Drawer({ title, label, onClose, children, foot }: { title: ReactNode; label: string; onClose: () => void; children: ReactNode; foot?: ReactNode }) {
  return (
    <aside className="drawer" aria-label={label}>
      <div className="drawer-head">
        {title}
        <span className="spring" />
        <button type="button" className="iconbtn" aria-label="Close details" title="Close (Esc)" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div className="drawer-body" tabIndex={0} role="region" aria-label={label}>
        {children}
      </div>
      {foot && <div className="drawer-foot">{foot}</div>}
    </aside>
  )
}

interface Toast {
  id: number
  good: boolean
  text: string
}
let toasts: Toast[] = []
let next = 1
const listeners = new Set<() => void>()
const tell = () => listeners.forEach((listener) => listener())
export function toast(text: string, good = true) {
  const id = next++
  toasts = [...toasts.slice(-3), { id, good, text }]
  tell()
  setTimeout(() => {
    toasts = toasts.filter((other) => other.id !== id)
    tell()
  }, 6000)
}
export function Toasts() {
  const list = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => toasts,
  )
  return (
    <div className="toasts" role="status" aria-live="polite">
      {list.map((item) => (
        <div key={item.id} className={item.good ? 'toast good' : 'toast bad'}>
          <Icon name={item.good ? 'check' : 'warn'} size={15} />
          <span>{item.text}</span>
        </div>
      ))}
    </div>
  )
}
