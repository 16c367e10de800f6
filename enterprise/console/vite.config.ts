import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// The server replaces every `{{nonce}}` in index.html by a fresh value for each answer.
export default defineConfig(({ command }) => ({
  plugins: [react()],
  html: command === 'build' ? { cspNonce: '{{nonce}}' } : {},
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // `font-src 'self'` allows no data: addresses, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: {
    proxy: { '/api': process.env.CONSOLE_API ?? 'http://127.0.0.1:8788' },
  },
  test: { include: ['src/**/*.test.ts'] },
}))
