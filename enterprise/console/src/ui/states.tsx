// What is shown where there is nothing to show yet.
import type { ReactNode } from 'react'
import { ApiProblem, sentence } from '../api/client'
import { Icon, type IconName } from './icons'

export function Empty({ icon, title, children, action }: { icon: IconName; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={icon} size={26} />
      <b>{title}</b>
      {children && <p>{children}</p>}
      {action && <div className="row">{action}</div>}
    </div>
  )
}

export function Failed({ problem, retry }: { problem: unknown; retry?: () => void }) {
  const away = problem instanceof ApiProblem && problem.unreachable
  return (
    <div className="empty" role="alert">
      <Icon name={away ? 'silent' : 'warn'} size={26} />
      <b>{away ? 'The server does not answer' : 'This could not be loaded'}</b>
      <p>{away ? 'Machines keep judging and recording on their own; what they hold arrives when the server is back.' : sentence(problem)}</p>
      {retry && (
        <div className="row">
          <button type="button" className="btn" onClick={retry}>
            <Icon name="refresh" size={14} />
            Try again
          </button>
        </div>
      )}
    </div>
  )
}

export function Loading({ rows = 8, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} style={{ display: 'flex', flexDirection: 'column', gap: 12, padding: 16, flex: 1 }}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="skeleton" style={{ height: 15, width: `${96 - ((index * 37) % 41)}%` }} />
      ))}
    </div>
  )
}

export function Problem({ problem }: { problem: unknown }) {
  if (!problem) return null
  return (
    <div className="problem" role="alert">
      <Icon name="warn" size={14} />
      <span>{typeof problem === 'string' ? problem : sentence(problem)}</span>
    </div>
  )
}
