// Keys that work everywhere: `g` then a letter, `/`, `?`.
import { useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'
import { Dialog } from '../ui/overlay'
import { typing } from '../ui/rows'

export interface Place {
  to: string
  key: string
  label: string
}

export function useKeys(places: Place[], help: () => void) {
  const router = useRouter()
  useEffect(() => {
    let led = 0
    function key(event: KeyboardEvent) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (document.querySelector('dialog[open]')) return
      if (typing(event.target)) {
        if (event.key === 'Escape' && event.target instanceof HTMLInputElement) event.target.blur()
        return
      }
      if (event.key === '?') {
        event.preventDefault()
        help()
      } else if (event.key === '/') {
        event.preventDefault()
        const box = document.querySelector<HTMLInputElement>('[data-search]')
        if (box) {
          box.focus()
          box.select()
        } else {
          void router.navigate({ to: '/search' })
          setTimeout(() => document.querySelector<HTMLInputElement>('[data-search]')?.focus(), 120)
        }
      } else if (event.key === 'g') {
        led = Date.now()
        event.preventDefault()
      } else if (led && Date.now() - led < 1500) {
        led = 0
        const place = places.find((candidate) => candidate.key === event.key)
        if (place) {
          event.preventDefault()
          event.stopImmediatePropagation()
          void router.navigate({ to: place.to })
        }
      }
    }
    window.addEventListener('keydown', key, true)
    return () => window.removeEventListener('keydown', key, true)
  }, [router, places, help])
}

/** Calls `act` for one key, outside fields and dialogs. */
export function useKey(name: string, act: () => void, on = true) {
  useEffect(() => {
    if (!on) return
    function key(event: KeyboardEvent) {
      if (event.key !== name || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (typing(event.target) || document.querySelector('dialog[open]')) return
      event.preventDefault()
      act()
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [name, act, on])
}

export function Help({ places, onClose }: { places: Place[]; onClose: () => void }) {
  const rows: [string[], string][] = [
    [['/'], 'Search or filter'],
    [['j'], 'Next row'],
    [['k'], 'Row before'],
    [['Enter'], 'Open the row'],
    [['Esc'], 'Close what is open'],
    [['p'], 'Live: pause or go on'],
    [['x'], 'Live: pin the row'],
    [['a'], 'Alerts: acknowledge; approvals: approve'],
    [['d'], 'Approvals: deny'],
    [['?'], 'This help'],
  ]
  return (
    <Dialog title="Keys" onClose={onClose} wide>
      <div className="dlg-body">
        <div className="keys">
          {rows.map(([keys, text], index) => {
            const place = places[index]
            return [
              <div key={text}>
                <span>{text}</span>
                <span className="row">{keys.map((name) => <kbd key={name}>{name}</kbd>)}</span>
              </div>,
              place ? (
                <div key={place.to}>
                  <span>{place.label}</span>
                  <span className="row"><kbd>g</kbd><kbd>{place.key}</kbd></span>
                </div>
              ) : <div key={`none-${index}`} />,
            ]
          })}
        </div>
        <p className="muted"><a href="/licences.txt" target="_blank" rel="noopener noreferrer">Licences</a> of what this console is made of.</p>
      </div>
    </Dialog>
  )
}
