// Small things that show a value: text, times, verdicts, people, hashes.
import { useEffect, useSyncExternalStore, useState, type ReactNode } from 'react'
import { Icon, type IconName } from './icons'
import { pieces, plain } from './text'
import { absolute, relative } from './time'

/** Text from outside: whatever could hide or reorder it is shown by name. */
export function SafeText({ children, className }: { children: string | null | undefined; className?: string }) {
  const parts = pieces(children ?? '')
  return (
    <bdi className={className ? `safe ${className}` : 'safe'}>
      {parts.map((piece, index) =>
        piece.name ? (
          <span key={index} className={piece.space ? 'ctl space' : 'ctl'} title={piece.name}>
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
    </bdi>
  )
}

/** One clock for all times on the page. */
let now = Date.now()
const ticks = new Set<() => void>()
let ticking: ReturnType<typeof setInterval> | undefined
function subscribe(listener: () => void) {
  ticks.add(listener)
  ticking ??= setInterval(() => {
    now = Date.now()
    for (const tick of ticks) tick()
  }, 1000)
  return () => {
    ticks.delete(listener)
    if (ticks.size === 0) {
      clearInterval(ticking)
      ticking = undefined
    }
  }
}
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}

export function Time({ at, none = 'never' }: { at: string | null | undefined; none?: string }) {
  const current = useNow()
  if (!at) return <span className="muted">{none}</span>
  return (
    <time dateTime={at} title={absolute(at)} className="nowrap">
      {relative(at, Math.max(current, Date.now() - 1000))}
    </time>
  )
}

export const DECISIONS = ['allow', 'warn', 'confirm', 'require_approval', 'deny', 'none'] as const
export const decisionName: Record<string, string> = {
  allow: 'Allowed', warn: 'Warned', confirm: 'Confirm', require_approval: 'Approval', deny: 'Blocked', none: 'Other',
}
const decisionLook: Record<string, [string, IconName]> = {
  allow: ['plain', 'check'], warn: ['amber', 'warn'], confirm: ['blue', 'confirm'], require_approval: ['violet', 'clock'], deny: ['red', 'deny'],
}
/** A verdict: colour, word and icon, never colour alone. */
export function Verdict({ decision }: { decision: string | null | undefined }) {
  if (!decision) return <span className="muted">–</span>
  const [tone, icon] = decisionLook[decision] ?? ['', 'warn']
  return (
    <span className={`tag ${tone}`}>
      <Icon name={icon} size={12} />
      {decisionName[decision] ?? decision}
    </span>
  )
}

const riskTone: Record<string, string> = { critical: 'red', high: 'amber', moderate: 'blue', safe: '' }
export function RiskTag({ risk }: { risk: string | null | undefined }) {
  if (!risk) return null
  return <span className={`tag ${riskTone[risk] ?? ''}`}>{risk === 'safe' ? 'safe' : `${risk} risk`}</span>
}

const severityTone: Record<string, string> = { critical: 'solid', high: 'red', medium: 'amber', low: '' }
export function Severity({ severity }: { severity: string }) {
  return <span className={`tag ${severityTone[severity] ?? ''}`}>{severity}</span>
}

const stateLook: Record<string, [string, IconName]> = {
  active: ['green', 'check'], silent: ['amber', 'silent'], quarantined: ['red', 'lock'], revoked: ['red', 'close'], retired: ['', 'close'],
}
export function MachineState({ state }: { state: string }) {
  const [tone, icon] = stateLook[state] ?? ['', 'warn']
  return (
    <span className={`tag ${tone}`}>
      <Icon name={icon} size={12} />
      {state}
    </span>
  )
}

export function Origin({ origin, agent }: { origin: string; agent?: string | null }) {
  const icon: IconName = origin === 'agent' ? 'agent' : origin === 'script' ? 'script' : 'user'
  const label = origin === 'agent' ? (agent ?? 'AI agent') : origin
  return (
    <span className="row nowrap" title={origin === 'agent' ? `AI agent ${plain(agent ?? '')}` : origin}>
      <Icon name={icon} size={13} className={origin === 'agent' ? 'tone-agent' : 'muted'} />
      <span className="ellipsis">
        <SafeText>{label}</SafeText>
      </span>
    </span>
  )
}

export function Hash({ value, keep = 12 }: { value: string; keep?: number }) {
  return (
    <span className="hash" title={value}>
      {value.length > keep ? `${value.slice(0, keep)}…` : value}
    </span>
  )
}

export function Copy({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return
    const id = setTimeout(() => setDone(false), 1600)
    return () => clearTimeout(id)
  }, [done])
  return (
    <button
      type="button"
      className="iconbtn"
      title={done ? 'Copied' : label}
      aria-label={done ? 'Copied' : label}
      onClick={() => {
        navigator.clipboard.writeText(text).then(
          () => setDone(true),
          () => setDone(false),
        )
      }}
    >
      <Icon name={done ? 'check' : 'copy'} size={14} />
    </button>
  )
}

export function CopyBox({ text, label }: { text: string; label: string }) {
  return (
    <div className="copybox">
      <div className="cmd">
        <SafeText>{text}</SafeText>
      </div>
      <Copy text={text} label={label} />
    </div>
  )
}

const number = new Intl.NumberFormat('en-US')
export const count = (value: number) => number.format(value)
/** `1 gap`, `2 gaps`. */
export const some = (value: number, word: string) => `${number.format(value)} ${word}${value === 1 ? '' : 's'}`
/** Per 10,000 as a percentage. */
export const percent = (value: number) => (value / 100).toFixed(2)

export function Hint({ children, icon = 'help' }: { children: ReactNode; icon?: IconName }) {
  return (
    <div className="hint">
      <Icon name={icon} size={14} />
      <div>{children}</div>
    </div>
  )
}
