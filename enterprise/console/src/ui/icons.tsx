// Line icons on a 16-pixel grid, drawn for this console.
const paths = {
  overview: 'M2.5 13.5h11M4 11V7.5M8 11V3M12 11V5.5',
  live: 'M1.5 8h3l2-5 3 10 2-5h3',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM13.5 13.5l-3.2-3.2',
  alert: 'M8 2.2 14.3 13H1.7L8 2.2ZM8 6.5v3M8 11.3v.1',
  approve: 'M8 14.2c3.5-1.4 5-3.6 5-7V3.6L8 1.8 3 3.6v3.6c0 3.4 1.5 5.6 5 7ZM5.6 7.9l1.8 1.8 3-3.4',
  fleet: 'M2 3h12v7.5H2zM5.5 13.5h5M8 10.5v3',
  policy: 'M4 1.8h5.5L12.5 5v9.2H4zM9.2 2v3.3h3.1M6.2 8h4M6.2 10.8h4',
  report: 'M3 2.2h10v11.6H3zM5.6 10.8V8.4M8 10.8V5.2M10.4 10.8V7',
  settings: 'M2 4.5h6.5M12 4.5h2M2 11.5h2M7.5 11.5H14M10.2 6.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4ZM5.8 13.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4Z',
  deny: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM3.8 3.8l8.4 8.4',
  check: 'M3 8.5l3.2 3.2L13 5',
  warn: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 5v3.6M8 11v.1',
  confirm: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.2 6.3C6.2 5.3 7 4.7 8 4.7s1.8.6 1.8 1.5c0 1.2-1.8 1.3-1.8 2.6M8 11.2v.1',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.6',
  close: 'M4 4l8 8M12 4l-8 8',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
  moon: 'M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z',
  auto: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M8 5l4-1M8 8h6M8 11l4.5.5',
  help: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.2 6.3C6.2 5.3 7 4.7 8 4.7s1.8.6 1.8 1.5c0 1.2-1.8 1.3-1.8 2.6M8 11.2v.1',
  exit: 'M9.5 2.5h-6v11h6M6.5 8h7.5M11.3 5.2 14 8l-2.7 2.8',
  pin: 'M6 1.8h4l-.6 4 2.4 2.7H4.2L6.6 5.8 6 1.8ZM8 8.5v5.7',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M4.8 2.8v10.4L13 8 4.8 2.8Z',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  download: 'M8 2v8M4.8 7 8 10.2 11.2 7M2.5 13.5h11',
  chevron: 'M6 3.5 10.5 8 6 12.5',
  user: 'M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8ZM2.8 13.8c.6-2.5 2.6-3.9 5.2-3.9s4.6 1.4 5.2 3.9',
  agent: 'M3 5.5h10v7.5H3zM8 5.5V3M8 2.6v.1M6 8.6v1M10 8.6v1M1.5 8v2.5M14.5 8v2.5',
  script: 'M2 3h12v10H2zM4.5 6l2 2-2 2M8.5 10.3h3',
  lock: 'M3.5 7h9v6.5h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  plus: 'M8 3v10M3 8h10',
  refresh: 'M13.3 8a5.3 5.3 0 1 1-1.6-3.8M13.5 1.8v3h-3',
  link: 'M6.5 9.5l3-3M7 4.5l1.2-1.2a3 3 0 0 1 4.4 4.2L11.3 9M9 11.5l-1.2 1.2a3 3 0 0 1-4.4-4.2L4.7 7',
  print: 'M4.5 6V2h7v4M4.5 11.5h-2V6h11v5.5h-2M4.5 9.5h7V14h-7z',
  silent: 'M2 2l12 12M4.2 4.2A5.5 5.5 0 0 0 8 13.5a5.5 5.5 0 0 0 3.9-1.7M13.2 9.5A5.5 5.5 0 0 0 6.6 2.7',
  diff: 'M5 2v8M2.5 12.5h5M11 2.5v5M8.5 5h5M8.5 12.5h5M2.5 6h5',
} as const

export type IconName = keyof typeof paths

export function Icon({ name, size = 16, className }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg className={className} width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth={1.45} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}
