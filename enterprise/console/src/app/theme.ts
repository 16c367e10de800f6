// Light, dark, or what the system says.
import { useSyncExternalStore } from 'react'

export type Theme = 'auto' | 'light' | 'dark'
const KEY = 'cmdai.theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const listeners = new Set<() => void>()
const tell = () => listeners.forEach((listener) => listener())
system.addEventListener('change', tell)

function stored(): Theme {
  const value = localStorage.getItem(KEY)
  return value === 'light' || value === 'dark' ? value : 'auto'
}
export function applyTheme() {
  const theme = stored()
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}
export function setTheme(theme: Theme) {
  if (theme === 'auto') localStorage.removeItem(KEY)
  else localStorage.setItem(KEY, theme)
  applyTheme()
  tell()
}
function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
export function useChosenTheme(): Theme {
  return useSyncExternalStore(subscribe, stored)
}
/** The theme in force. */
export function useTheme(): 'light' | 'dark' {
  return useSyncExternalStore(subscribe, () => {
    const theme = stored()
    return theme === 'auto' ? (system.matches ? 'dark' : 'light') : theme
  })
}
