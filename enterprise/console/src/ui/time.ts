// Times: relative in rows, absolute on hover.

export function relative(time: string | number, now: number): string {
  const then = typeof time === 'number' ? time : Date.parse(time)
  if (!Number.isFinite(then)) return '–'
  const seconds = Math.round((now - then) / 1000)
  const size = Math.abs(seconds)
  const [value, unit] =
    size < 5 ? [0, ''] : size < 60 ? [size, 's'] : size < 3600 ? [Math.floor(size / 60), 'min'] : size < 86_400 ? [Math.floor(size / 3600), 'h'] : [Math.floor(size / 86_400), 'd']
  if (!unit) return 'now'
  return seconds >= 0 ? `${value} ${unit} ago` : `in ${value} ${unit}`
}

const full = new Intl.DateTimeFormat('en-GB', { year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false, timeZoneName: 'short' })
const short = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false })
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false })
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })

function format(how: Intl.DateTimeFormat, time: string | number): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? '–' : how.format(date)
}
export const absolute = (time: string | number) => format(full, time)
export const shortTime = (time: string | number) => format(short, time)
export const clockTime = (time: string | number) => format(clock, time)
export const dayOf = (time: string | number) => format(day, time)

/** `4 min 05 s`, for what is left or what it took. */
export function length(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`
}
