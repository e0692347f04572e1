import { request } from 'node:http'
import WebSocket from 'ws'
import type { At } from './caller-http.ts'

export function webSocket(input: At & { messages: string[] }): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${input.host}:${input.port}/ws`)
    const received: string[] = []
    socket.on('open', () => {
      for (const message of input.messages) socket.send(message)
    })
    socket.on('message', (message) => {
      received.push(String(message))
      if (received.length === input.messages.length + 1) socket.close(1000)
    })
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
}

/** Server-sent events; with the time at which each arrived, so that buffering shows. */
export function events(input: At): Promise<{ data: string; atMs: number }[]> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    request({ host: input.host, port: input.port, path: '/events', agent: false }, (response) => {
      const received: { data: string; atMs: number }[] = []
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        for (const [, data = ''] of text.matchAll(/data: (.*)\n\n/g))
          received.push({ data, atMs: performance.now() - startedAt })
      })
      response.on('end', () => resolve(received))
      response.on('error', reject)
    })
      .on('error', reject)
      .end()
  })
}
