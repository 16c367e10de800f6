// The same columns wherever events stand in rows.
import type { EventRow } from '../api/client'
import type { Column } from '../ui/rows'
import { Origin, SafeText, Time, Verdict } from '../ui/show'
import { plain } from '../ui/text'
import { absolute, clockTime } from '../ui/time'
import { eventName } from './EventDrawer'

export const keyOfEvent = (row: EventRow) => row.event_id

export function eventColumns({ open, clock, narrow }: { open: (row: EventRow) => void; clock?: boolean; narrow?: boolean }): Column<EventRow>[] {
  const all: (Column<EventRow> & { wide?: boolean })[] = [
    { name: 'When', width: '68px', cell: (row) => clock ? <time dateTime={row.time} title={absolute(row.time)} className="soft">{clockTime(row.time)}</time> : <span className="soft"><Time at={row.time} /></span> },
    { name: 'Verdict', width: '88px', cell: (row) => row.decision ? <Verdict decision={row.decision} /> : <span className="tag plain muted">–</span> },
    {
      name: 'Command or event', width: 'minmax(220px, 1fr)',
      cell: (row) => (
        <button type="button" className="cellbtn" title={plain(row.text)} onClick={(event) => { event.stopPropagation(); open(row) }}>
          {row.event_type.startsWith('command_') || row.decision ? <span className="mono"><SafeText>{row.text}</SafeText></span> : <><b style={{ fontWeight: 560 }}>{eventName(row.event_type)}</b> <span className="soft"><SafeText>{row.text}</SafeText></span></>}
        </button>
      ),
    },
    { name: 'Rule', width: '138px', wide: true, cell: (row) => row.rule ? <span className="mono soft" title={plain(row.reason ?? '')}><SafeText>{row.rule}</SafeText></span> : null },
    { name: 'Person', width: '76px', cell: (row) => <SafeText>{row.user}</SafeText> },
    { name: 'Machine', width: '92px', wide: true, cell: (row) => <span className="soft"><SafeText>{row.hostname}</SafeText></span> },
    { name: 'Origin', width: '104px', wide: true, cell: (row) => <Origin origin={row.origin} agent={row.agent} /> },
    { name: 'Exit', width: '30px', num: true, wide: true, cell: (row) => row.exit_code === null || row.exit_code === undefined ? null : <span className={row.exit_code === 0 ? 'muted' : 'soft'}>{row.exit_code}</span> },
  ]
  return narrow ? all.filter((column) => !column.wide) : all
}
