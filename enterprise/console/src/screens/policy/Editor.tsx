// The YAML editor: diagnostics in place, and the difference to what is published. Loaded only
// when the Policy screen is opened.
import { yaml } from '@codemirror/lang-yaml'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint'
import { unifiedMergeView } from '@codemirror/merge'
import { Annotation, Compartment, EditorState, type Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { basicSetup } from 'codemirror'
import { useEffect, useImperativeHandle, useRef, type Ref } from 'react'
import type { PolicyDiagnostic } from '../../api/client'

const colors = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName), tags.labelName], color: 'var(--accent-strong)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--text)' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: 'var(--violet)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--text-3)', fontStyle: 'italic' },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace, tags.meta], color: 'var(--text-3)' },
])
const look = EditorView.theme({
  '&': { height: '100%', fontSize: '12.5px', backgroundColor: 'var(--surface)', color: 'var(--text)' },
  // The card around it shows the focus.
  '&.cm-focused': { outline: 'none' },
  // No ligatures: what is judged is what is seen.
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.65', fontVariantLigatures: 'none', fontFeatureSettings: '"calt" 0' },
  '.cm-content': { caretColor: 'var(--accent)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--text-3)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { paddingLeft: '14px', paddingRight: '6px' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--accent) 6%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--accent) 24%, transparent)' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--grey-soft)', border: 'none', color: 'var(--text-2)' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--line-strong)', borderRadius: '7px', color: 'var(--text)', boxShadow: 'var(--shadow-2)', overflow: 'hidden' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--active)', color: 'var(--accent-strong)' },
  '.cm-diagnostic': { padding: '6px 10px', fontFamily: 'var(--sans)' },
  '.cm-diagnostic-error': { borderLeft: '3px solid var(--red-fill)' },
  '.cm-diagnostic-warning': { borderLeft: '3px solid var(--amber-fill)' },
  '.cm-panels': { backgroundColor: 'var(--sunken)', color: 'var(--text)', borderColor: 'var(--line)' },
  '.cm-panels input, .cm-panels button': { borderRadius: '5px' },
  '.cm-textfield': { backgroundColor: 'var(--surface)', border: '1px solid var(--line-strong)' },
  '.cm-button': { backgroundImage: 'none', backgroundColor: 'var(--surface)', border: '1px solid var(--line-strong)', color: 'var(--text)' },
  '.cm-changedLine': { backgroundColor: 'var(--green-soft) !important' },
  '.cm-changedText': { background: 'color-mix(in srgb, var(--green-fill) 32%, transparent) !important' },
  '.cm-deletedChunk': { backgroundColor: 'var(--red-soft) !important' },
  '.cm-deletedChunk .cm-deletedText': { background: 'color-mix(in srgb, var(--red-fill) 30%, transparent) !important' },
  '.cm-deletedLine, .cm-deletedLine del': { textDecoration: 'none' },
  '.cm-changeGutter': { width: '3px', paddingLeft: '0' },
  '.cm-changedLineGutter': { backgroundColor: 'var(--green-fill)' },
  '.cm-deletedLineGutter': { backgroundColor: 'var(--red-fill)' },
  '.cm-collapsedLines::before, .cm-collapsedLines::after': { content: '"⋯" !important' },
  '.cm-collapsedLines': { background: 'var(--sunken)', color: 'var(--text-2)', padding: '4px 14px' },
})

/** Marks text that came from outside: it is no edit. */
const given = Annotation.define<boolean>()

export interface EditorHandle {
  goTo: (line: number, column: number) => void
}

/** The nonce that the server put into the page, for the editor's style sheets. */
function nonce(): string {
  return document.querySelector<HTMLElement>('meta[property=csp-nonce]')?.nonce ?? ''
}

export default function Editor({ value, onChange, diagnostics, against, readOnly, handle }: {
  value: string
  onChange: (text: string) => void
  diagnostics: PolicyDiagnostic[]
  /** Show the difference to this text. */
  against: string | null
  readOnly: boolean
  handle: Ref<EditorHandle>
}) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const parts = useRef({ diff: new Compartment(), lock: new Compartment() })
  const change = useRef(onChange)
  change.current = onChange

  useEffect(() => {
    if (!host.current) return
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          EditorView.cspNonce.of(nonce()),
          basicSetup,
          yaml(),
          lintGutter(),
          syntaxHighlighting(colors),
          look,
          EditorView.contentAttributes.of({ 'aria-label': 'Policy in YAML', spellcheck: 'false' }),
          parts.current.lock.of(locked(readOnly)),
          parts.current.diff.of([]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && !update.transactions.some((transaction) => transaction.annotation(given))) change.current(update.state.doc.toString())
          }),
        ],
      }),
    })
    editor.scrollDOM.tabIndex = 0
    view.current = editor
    return () => {
      editor.destroy()
      view.current = null
    }
    // The text is the editor's own once it stands; changes from outside come below.
  }, [])

  useEffect(() => {
    const editor = view.current
    if (editor && editor.state.doc.toString() !== value) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value }, annotations: given.of(true) })
  }, [value])
  useEffect(() => view.current?.dispatch({ effects: parts.current.lock.reconfigure(locked(readOnly)) }), [readOnly])
  useEffect(() => {
    view.current?.dispatch({
      effects: parts.current.diff.reconfigure(
        against === null ? [] : unifiedMergeView({ original: against, mergeControls: false, gutter: true, highlightChanges: true, collapseUnchanged: { margin: 4, minSize: 8 } }),
      ),
    })
  }, [against])
  useEffect(() => {
    const editor = view.current
    if (!editor) return
    const list: Diagnostic[] = diagnostics.map((found) => {
      const from = place(editor, found.line, found.column)
      const line = editor.state.doc.lineAt(from)
      const word = /^[^\s:,\]}]+/.exec(line.text.slice(from - line.from))?.[0].length ?? 1
      return {
        from, to: Math.min(line.to, from + Math.max(1, word)),
        severity: found.severity === 'warning' ? 'warning' : 'error',
        message: found.help ? `${found.message}\n${found.help}` : found.message,
      }
    })
    editor.dispatch(setDiagnostics(editor.state, list.sort((a, b) => a.from - b.from)))
  }, [diagnostics])
  useImperativeHandle(handle, () => ({
    goTo(line, column) {
      const editor = view.current
      if (!editor) return
      const at = place(editor, line, column)
      editor.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) })
      editor.focus()
    },
  }))
  return <div ref={host} />
}

function locked(readOnly: boolean): Extension {
  return [EditorState.readOnly.of(readOnly)]
}

/** An offset for a line and column from 1, inside the text whatever they say. */
function place(editor: EditorView, line: number, column: number): number {
  const found = editor.state.doc.line(Math.min(Math.max(1, line), editor.state.doc.lines))
  return Math.min(found.to, found.from + Math.max(0, column - 1))
}
