import { signal } from '@preact/signals'
import { navigate } from './location.ts'

const storageKey = 'sip-capture-desktop-notices'

/** `unavailable`: this browser has none, or the page is not on HTTPS or localhost. */
export type DesktopState = 'unavailable' | 'off' | 'on' | 'refused'

/** Whether matches are shown on the desktop too. Never asked for by itself: the browser's question needs a click. */
export const desktop = signal<DesktopState>(readState())

function readState(): DesktopState {
  if (!('Notification' in window)) return 'unavailable'
  if (Notification.permission === 'denied') return 'refused'
  return Notification.permission === 'granted' && isWanted() ? 'on' : 'off'
}

function isWanted(): boolean {
  try {
    return window.localStorage.getItem(storageKey) === 'on'
  } catch {
    return false
  }
}

/** From a click. */
export async function setDesktop(on: boolean): Promise<void> {
  if (!('Notification' in window)) return
  const permission = on ? await Notification.requestPermission() : Notification.permission
  const isOn = on && permission === 'granted'
  try {
    window.localStorage.setItem(storageKey, isOn ? 'on' : 'off')
  } catch {
    // Then for as long as the page is open.
  }
  desktop.value = isOn ? 'on' : permission === 'denied' ? 'refused' : 'off'
}

export const isDesktopOn = (): boolean => desktop.peek() === 'on'

/** A later one with the same tag takes the place of the one before. */
export function showDesktop(title: string, body: string, { tag, href }: { tag: string; href: string }): void {
  try {
    const shown = new Notification(title, { body, tag })
    shown.addEventListener('click', () => {
      window.focus()
      const url = new URL(href, window.location.origin)
      navigate(url.pathname, url.searchParams)
      shown.close()
    })
  } catch {
    // Browsers on phones have the word and not the thing.
  }
}
